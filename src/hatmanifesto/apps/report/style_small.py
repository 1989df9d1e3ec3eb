"""The style of the small pages: their figures, calendars and links, beside that of the report."""

SMALL = """
svg.chart{display:block;overflow:visible;font-size:.75rem;margin:2em var(--right) 3.6em var(--left);
width:calc(100% - var(--left) - var(--right))}
.chart text{fill:var(--muted);font-variant-numeric:tabular-nums}
.chart .name,.chart .told{fill:var(--ink)}
.chart .y,.chart .name{text-anchor:end}.chart .x{text-anchor:middle}
.chart .axis.y{text-anchor:start;transform:translateX(calc(.6em - var(--left)))}
.chart .grid{stroke:var(--grid)}.chart .zero{stroke:var(--axis)}
.chart polyline{fill:none;stroke-width:1.6;vector-effect:non-scaling-stroke}
.chart .area{fill:var(--lossfill)}.chart rect{stroke:none}
.chart rect.gain{fill:var(--gain)}.chart rect.loss{fill:var(--loss)}.chart rect.none{fill:none}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;margin:.4rem 0 0;padding:0;
font-size:.8rem;color:var(--muted)}.legend li{display:flex;align-items:center;gap:.45rem}
.legend line{stroke-width:2}
td.gain,td.loss{white-space:nowrap}
.cal{display:grid;grid-template-columns:repeat(auto-fill,minmax(19rem,1fr));gap:1rem 1.4rem;
margin-top:.8rem}
.cal h3{font-size:.88rem}.cal table{table-layout:fixed;border-collapse:separate;border-spacing:2px;
font-size:.72rem}
.cal th{text-align:center;padding:.1rem 0;border:0;font-size:.7rem}
.cal td{border:0;padding:0;height:2.6rem;vertical-align:top;border-radius:.25rem}
.cal td a,.cal td>span{display:block;height:100%;padding:.15rem .2rem;color:var(--ink);
text-decoration:none;border-radius:.25rem;border:1px solid var(--rule);overflow:hidden;
line-height:1.25;white-space:nowrap}
.cal td b{display:block;font-weight:500;color:var(--muted);font-size:.66rem}
.cal td[class^=up] b,.cal td[class^=down] b{color:var(--ink)}
.cal td a:hover{border-color:var(--ink)}
.cal td.quiet a{border-style:dashed;border-color:var(--muted);color:var(--muted)}
.cal td.void a{background:repeating-linear-gradient(135deg,var(--rule) 0 2px,transparent 2px 7px);
color:var(--muted)}
.key{display:flex;flex-wrap:wrap;gap:.3rem .9rem;color:var(--muted);font-size:.8rem;
margin:.7rem 0 0;padding:0;list-style:none}
.key li{display:flex;align-items:center;gap:.35rem}
.key i{width:1.3rem;height:1rem;border-radius:.2rem;border:1px solid var(--rule)}
.key i.quiet{border:1px dashed var(--muted)}
.key i.void{background:repeating-linear-gradient(135deg,var(--rule) 0 2px,transparent 2px 7px)}
.up1{background:color-mix(in srgb,var(--gain) 10%,var(--paper))}
.up2{background:color-mix(in srgb,var(--gain) 20%,var(--paper))}
.up3{background:color-mix(in srgb,var(--gain) 32%,var(--paper))}
.up4{background:color-mix(in srgb,var(--gain) 45%,var(--paper))}
.down1{background:color-mix(in srgb,var(--loss) 10%,var(--paper))}
.down2{background:color-mix(in srgb,var(--loss) 20%,var(--paper))}
.down3{background:color-mix(in srgb,var(--loss) 32%,var(--paper))}
.down4{background:color-mix(in srgb,var(--loss) 45%,var(--paper))}
nav a.step{border:1px solid var(--rule)}
main a{color:var(--accent)}
@media (max-width:38rem){.chart .wide{display:none}
.cal{grid-template-columns:minmax(0,1fr)}}
@media print{.cal td,.key i,.chart rect{print-color-adjust:exact}details{display:block}}
"""
