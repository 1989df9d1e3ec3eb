"""Operations: configuration and health."""
