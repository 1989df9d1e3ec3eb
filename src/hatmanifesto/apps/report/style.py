"""The style sheet of a report: light and dark, wide, phone and paper."""

from hatmanifesto.apps.report.palette import variables

LOOK = """
*{box-sizing:border-box}
html{scroll-padding-top:3.6rem}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,
"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;-webkit-text-size-adjust:100%}
main{max-width:80rem;margin:0 auto;padding:1.1rem 1.25rem 4rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:.2rem}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.6rem;z-index:9;background:var(--paper);
padding:.3rem .6rem}
.bar{position:sticky;top:0;z-index:5;background:var(--page);border-bottom:1px solid var(--rule)}
.bar>div{max-width:80rem;margin:0 auto;padding:.45rem 1.25rem;display:flex;align-items:center;
gap:.5rem 1.1rem}
.brand{font-weight:680;white-space:nowrap}
nav{display:flex;gap:.15rem;overflow-x:auto;flex:1;min-width:0;scrollbar-width:none;
-webkit-overflow-scrolling:touch}
nav::-webkit-scrollbar{display:none}
nav a{color:var(--muted);text-decoration:none;padding:.25rem .55rem;border-radius:.35rem;
white-space:nowrap;font-size:.88rem}
nav a:hover{color:var(--ink);background:var(--rule)}
nav a[aria-current]{color:var(--ink);font-weight:620;background:var(--rule)}
nav a:focus-visible{outline-offset:-3px}
button,select{font:inherit;font-size:.85rem;color:var(--ink);background:var(--paper);
border:1px solid var(--rule);border-radius:.4rem;padding:.25rem .65rem;cursor:pointer}
.meta{display:flex;flex-wrap:wrap;gap:.4rem .9rem;align-items:center;color:var(--muted);
font-size:.85rem;font-variant-numeric:tabular-nums}
.badge{border:1px solid var(--rule);border-radius:99px;padding:.06rem .65rem;font-weight:620;
color:var(--accent);background:var(--paper)}
.badge.warn{background:var(--warnbg);color:var(--warn);border-color:var(--warnrule)}
h1{font-size:1.42rem;line-height:1.36;font-weight:620;letter-spacing:-.012em;margin:.8rem 0 .7rem;
max-width:62rem;text-wrap:pretty;overflow-wrap:anywhere}
h2{font-size:1.14rem;font-weight:670;margin:2.4rem 0 .2rem;padding-top:.9rem;
border-top:1px solid var(--rule)}
h3{margin:0 0 .2rem;font-size:.96rem;font-weight:640}
h3.of{margin:1.7rem 0 0}
p{margin:.3rem 0;max-width:62rem}
.notes{margin:.8rem 0 0;padding-left:1.1rem;color:var(--muted);max-width:62rem;font-size:.92rem}
.notes li{margin:.15rem 0}
.banner{background:var(--warnbg);color:var(--warn);border:1px solid var(--warnrule);
border-radius:.5rem;padding:.6rem .95rem;margin:.8rem 0;font-weight:600}
.banner span{font-weight:450;overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.6rem;
margin:1rem 0 0}
.tile{background:var(--paper);border:1px solid var(--rule);border-radius:.5rem;
padding:.55rem .8rem;min-width:0}
.tile .label{color:var(--muted);font-size:.79rem}
.tile .value{font-size:1.22rem;font-weight:640;font-variant-numeric:tabular-nums;
letter-spacing:-.01em;white-space:nowrap}
.tile .unit{color:var(--muted);font-size:.77rem;font-variant-numeric:tabular-nums;
overflow-wrap:anywhere}
.gain{color:var(--gain)}.loss{color:var(--loss)}.muted{color:var(--muted)}
.plots{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:.9rem;margin-top:.9rem}
figure{margin:0;background:var(--paper);border:1px solid var(--rule);border-radius:.5rem;
padding:.75rem .8rem .6rem;grid-column:1/-1;min-width:0}
figure.half{grid-column:auto}
figure.half.last{grid-column:1/-1}
figure .scroll{margin-top:.2rem}
figure .head{display:flex;flex-wrap:wrap;gap:.3rem .8rem;justify-content:space-between;
align-items:center}
figcaption{color:var(--muted);font-size:.8rem;margin-top:.25rem;overflow-wrap:anywhere}
.plot{width:100%;overflow:hidden}
ol.findings{list-style:none;margin:.8rem 0 0;padding:0;display:grid;gap:.55rem;counter-reset:f;
grid-template-columns:repeat(2,minmax(0,1fr));font-size:.92rem}
summary{cursor:pointer;color:var(--muted);margin-top:.6rem}
ol.findings li{counter-increment:f;background:var(--paper);border:1px solid var(--rule);
border-left:4px solid var(--accent);border-radius:.4rem;padding:.55rem .9rem}
ol.findings li::before{content:counter(f) ". ";font-weight:680}
ol.findings li.fault{border-left-color:var(--loss)}
ol.findings p{margin:.1rem 0}
.scroll{margin-top:.8rem;overflow-x:auto;-webkit-overflow-scrolling:touch}
.scroll.tall{max-height:34rem;overflow-y:auto;border:1px solid var(--rule);border-radius:.4rem;
padding:0 .6rem;background:var(--paper)}
.scroll.tall thead th{position:sticky;top:0;background:var(--paper);z-index:1}
table{border-collapse:collapse;width:100%;font-size:.89rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3rem .9rem .3rem 0;border-bottom:1px solid var(--rule);
vertical-align:top}
th{color:var(--muted);font-weight:580;font-size:.81rem;white-space:nowrap}
th button{all:unset;cursor:pointer;white-space:nowrap}
th button:focus-visible{outline:3px solid var(--accent);outline-offset:1px}
th button::after{content:" \\2195";opacity:.45}
th[aria-sort=ascending] button::after{content:" \\2191";opacity:1}
th[aria-sort=descending] button::after{content:" \\2193";opacity:1}
td.num,th.num{text-align:right;white-space:nowrap}
table.tall td:not(:last-child),table.sortable td:first-child,
table.figures td:last-child{white-space:nowrap}
table.figures td:first-child{min-width:9rem}
table.narrow{width:auto;min-width:20rem}
td.part{min-width:9rem}.hint{display:block;color:var(--muted);font-size:.79rem}
tr.group td{padding-top:1rem;font-weight:640;border-bottom-color:var(--muted)}
tr.sum td{font-weight:660;border-top:2px solid var(--muted)}
td.hash,td.value{overflow-wrap:anywhere}
td.hash{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.83rem}
.assumed{display:inline-block;border:1px solid var(--warnrule);background:var(--warnbg);
color:var(--warn);border-radius:.25rem;padding:0 .35rem;font-size:.74rem;font-weight:650;
letter-spacing:.03em}
.columns{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 2.2rem}
.absent{color:var(--muted);font-size:.84rem;margin-top:1rem}
footer{margin-top:3rem;color:var(--muted);font-size:.82rem}
@media (max-width:60rem){.plots,.columns,ol.findings{grid-template-columns:minmax(0,1fr)}}
@media (max-width:38rem){main{padding:.8rem .8rem 3rem}.bar>div{padding:.35rem .8rem;gap:.6rem}
.brand{display:none}h1{font-size:1.16rem}h2{margin-top:1.9rem}
table{font-size:.83rem}th,td{padding-right:.65rem}table.narrow{min-width:0}
figure{padding:.6rem .35rem .5rem}figure .head,figcaption{padding:0 .3rem}
.tiles{grid-template-columns:1fr 1fr;gap:.45rem}.tile{padding:.45rem .6rem}
.tile .value{font-size:1.04rem}}
@media print{.bar,figure select{display:none}body{background:#fff;font-size:12px}main{padding:0}
h2,h3{break-after:avoid}.plot{min-height:0!important}
figure,.tile,tr,ol.findings li{break-inside:avoid}.scroll.tall{max-height:none}
.plots{display:block}figure{margin-bottom:.8rem}a{color:inherit}}
"""


def style_sheet() -> str:
    """Return the style sheet; the toggle of the page sets ``data-theme`` on its root."""
    light, dark = variables("light"), variables("dark")
    return (
        f":root{{color-scheme:light;{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;"
        f"{dark}}}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}\n"
        f"@media print{{:root:root:root{{color-scheme:light;{light}}}}}{LOOK}"
    )
