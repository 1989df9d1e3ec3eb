"""The look of a report: its style sheet, its palettes and the script that draws the figures."""

STYLE = """
:root{color-scheme:light dark;--paper:#fbfbf9;--card:#fff;--ink:#1c2126;--muted:#5f6a74;
--rule:#e2e4e1;--accent:#27577f;--gain:#2c7a58;--loss:#b0463c;--warnbg:#fdf3dc;--warn:#7a5300;
--warnrule:#e9cf8f}
@media (prefers-color-scheme:dark){:root{--paper:#14171a;--card:#1b1f23;--ink:#e4e7ea;
--muted:#98a3ad;--rule:#2d3338;--accent:#7db1dc;--gain:#63b58f;--loss:#e08277;--warnbg:#2e2713;
--warn:#edcf86;--warnrule:#5b4b1d}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,
"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;-webkit-text-size-adjust:100%}
main{max-width:68rem;margin:0 auto;padding:1.6rem 1.25rem 4rem}
header{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;color:var(--muted);
font-size:.85rem}
.brand{font-weight:650;letter-spacing:.01em;color:var(--ink)}
.badge{border:1px solid var(--rule);border-radius:99px;padding:.1rem .7rem;font-weight:600;
color:var(--accent)}
.badge.syn{background:var(--warnbg);color:var(--warn);border-color:var(--warnrule)}
h1{font-size:1.5rem;line-height:1.36;font-weight:620;letter-spacing:-.012em;margin:.9rem 0 .7rem;
max-width:54rem;text-wrap:pretty}
h2{font-size:1.06rem;font-weight:650;margin:2.6rem 0 .7rem;padding-top:1rem;
border-top:1px solid var(--rule)}
p{margin:.3rem 0;max-width:54rem}
.notes{margin:.5rem 0 0;padding-left:1.1rem;color:var(--muted);max-width:54rem;font-size:.94rem}
.notes li{margin:.2rem 0}
.banner{background:var(--warnbg);color:var(--warn);border:1px solid var(--warnrule);
border-radius:.5rem;padding:.7rem 1rem;margin:.9rem 0;font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.7rem;
margin:1.4rem 0 0}
.tile{background:var(--card);border:1px solid var(--rule);border-radius:.5rem;padding:.7rem .9rem}
.tile .label{color:var(--muted);font-size:.8rem}
.tile .value{font-size:1.24rem;font-weight:620;font-variant-numeric:tabular-nums;
letter-spacing:-.01em;white-space:nowrap}
.tile .unit{color:var(--muted);font-size:.78rem;font-variant-numeric:tabular-nums}
.gain{color:var(--gain)}.loss{color:var(--loss)}.muted{color:var(--muted)}
figure{margin:1.5rem 0 0;background:var(--card);border:1px solid var(--rule);border-radius:.5rem;
padding:.9rem .9rem .6rem}
figure h3{margin:0 0 .2rem;font-size:.98rem;font-weight:620}
figcaption{color:var(--muted);font-size:.8rem;margin-top:.3rem}
.plot{width:100%}
.scroll{margin-top:1.1rem;overflow-x:auto;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.36rem .9rem .36rem 0;border-bottom:1px solid var(--rule);
vertical-align:top}
th{color:var(--muted);font-weight:560;font-size:.82rem;white-space:nowrap}
td.num,th.num{text-align:right;white-space:nowrap}
table.narrow{width:auto;min-width:20rem}
td.part{min-width:8rem}.hint{display:block;color:var(--muted);font-size:.8rem}
tr.group td{padding-top:1.1rem;font-weight:620;border-bottom-color:var(--muted)}
tr.sum td{font-weight:650;border-top:2px solid var(--muted)}
td.hash,td.value{overflow-wrap:anywhere}
td.hash{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.84rem}
.assumed{display:inline-block;border:1px solid var(--warnrule);background:var(--warnbg);
color:var(--warn);border-radius:.25rem;padding:0 .35rem;font-size:.74rem;font-weight:650;
letter-spacing:.03em}
footer{margin-top:3rem;color:var(--muted);font-size:.82rem}
@media (max-width:38rem){main{padding:1rem .85rem 3rem}h1{font-size:1.2rem}
table{font-size:.86rem}th,td{padding-right:.6rem}
figure{padding:.7rem .4rem .5rem;margin-left:-.3rem;
margin-right:-.3rem}figure h3,figcaption{padding:0 .4rem}.tiles{grid-template-columns:1fr 1fr;
gap:.5rem}.tile{padding:.55rem .65rem}.tile .value{font-size:1.05rem}}
@media print{body{background:#fff}figure,.tile{break-inside:avoid}}
"""

PALETTES = {
    "light": {
        "paper": "#ffffff",
        "ink": "#1c2126",
        "muted": "#8b959e",
        "grid": "#eceeec",
        "axis": "#c3c8c6",
        "accent": "#27577f",
        "gain": "#2c7a58",
        "loss": "#b0463c",
        "lossfill": "rgba(176,70,60,0.14)",
        "buy": "#1f7a6d",
        "sell": "#c2622b",
        "gap": "rgba(120,128,135,0.17)",
        "series0": "#27577f",
        "series1": "#c2622b",
        "series2": "#1f7a6d",
        "series3": "#7a5a9e",
    },
    "dark": {
        "paper": "#1b1f23",
        "ink": "#e4e7ea",
        "muted": "#76818b",
        "grid": "#2a3035",
        "axis": "#4a535b",
        "accent": "#7db1dc",
        "gain": "#63b58f",
        "loss": "#e08277",
        "lossfill": "rgba(224,130,119,0.18)",
        "buy": "#58bdae",
        "sell": "#eb9a63",
        "gap": "rgba(160,170,180,0.15)",
        "series0": "#7db1dc",
        "series1": "#eb9a63",
        "series2": "#58bdae",
        "series3": "#b79ad6",
    },
}

SCRIPT = """
(function(){
var page=JSON.parse(document.getElementById("figures").textContent);
var dark=window.matchMedia("(prefers-color-scheme: dark)");
var narrow=window.matchMedia("(max-width: 38rem)");
function tinted(node,palette){
if(typeof node==="string"){return node.charAt(0)==="@"?palette[node.slice(1)]:node;}
if(Array.isArray(node)){return node.map(function(item){return tinted(item,palette);});}
if(node&&typeof node==="object"){var out={};
Object.keys(node).forEach(function(key){out[key]=tinted(node[key],palette);});return out;}
return node;}
function paint(){
var palette=page.palettes[dark.matches?"dark":"light"];
var font=getComputedStyle(document.body).fontFamily;
page.figures.forEach(function(figure){
var layout=tinted(figure.layout,palette);
layout.paper_bgcolor=palette.paper;layout.plot_bgcolor=palette.paper;
layout.font={family:font,size:narrow.matches?11:12.5,color:palette.ink};
layout.height=narrow.matches?Math.round(figure.height*0.85):figure.height;
layout.margin={l:narrow.matches?44:64,r:12,t:28,b:narrow.matches?48:52};

layout.hoverlabel={bgcolor:palette.paper,bordercolor:palette.axis,font:{color:palette.ink}};
Plotly.react(figure.name,tinted(figure.traces,palette),layout,
{displaylogo:false,displayModeBar:narrow.matches?false:"hover",responsive:true,plotlyServerURL:"",
modeBarButtons:[["toImage","zoom2d","pan2d","resetScale2d"]]});
});}
paint();
dark.addEventListener("change",paint);narrow.addEventListener("change",paint);
})();
"""
