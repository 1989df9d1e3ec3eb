"""The script of a report: draws the figures, switches the colours, sorts tables, marks the place.

It stores nothing and asks for nothing. When all is drawn it sets ``data-drawn`` on the root.
"""

COMMON = """
"use strict";
var root=document.documentElement;
var dark=window.matchMedia("(prefers-color-scheme: dark)");
function isDark(){
var theme=root.getAttribute("data-theme");
return theme?theme==="dark":dark.matches;}
function toggle(){
var button=document.getElementById("theme");
button.hidden=false;
function name(){button.textContent=isDark()?"Light":"Dark";}
button.addEventListener("click",function(){
root.setAttribute("data-theme",isDark()?"light":"dark");name();paint();});
dark.addEventListener("change",function(){name();paint();});
name();}
function valueOf(cell){
var text=cell.textContent.replace(/,/g,"").replace(/ %$/,"");
var number=parseFloat(text);
return isNaN(number)||!/^[-+0-9.]/.test(text)?null:number;}
function sortable(){
document.querySelectorAll("table.sortable").forEach(function(table){
table.querySelectorAll("thead th").forEach(function(head,column){
var button=document.createElement("button");
button.type="button";button.textContent=head.textContent;
head.textContent="";head.appendChild(button);
button.addEventListener("click",function(){
var isNumber=head.classList.contains("num");
var was=head.getAttribute("aria-sort");
var up=was?was==="descending":!isNumber;
table.querySelectorAll("thead th").forEach(function(one){one.removeAttribute("aria-sort");});
head.setAttribute("aria-sort",up?"ascending":"descending");
var body=table.tBodies[0];
var rows=Array.prototype.slice.call(body.rows);
rows.sort(function(a,b){
var x=a.cells[column],y=b.cells[column];
if(!isNumber){var order=x.textContent<y.textContent?-1:x.textContent>y.textContent?1:0;
return up?order:-order;}
var p=valueOf(x),q=valueOf(y);
if(p===null||q===null){return (p===null?1:0)-(q===null?1:0);}
return up?p-q:q-p;});
rows.forEach(function(row){body.appendChild(row);});});});});}
"""

REPORT = """
var page=JSON.parse(document.getElementById("figures").textContent);
var narrow=window.matchMedia("(max-width: 38rem)");
var PAPER_PX=660;
var picked={};
function tinted(node,palette){
if(typeof node==="string"){return node.charAt(0)==="@"?palette[node.slice(1)]:node;}
if(Array.isArray(node)){
if(node.length&&typeof node[0]==="number"&&typeof node[node.length-1]==="number"){return node;}
return node.map(function(item){return tinted(item,palette);});}
if(node&&typeof node==="object"){var out={};
Object.keys(node).forEach(function(key){out[key]=tinted(node[key],palette);});return out;}
return node;}
function draw(figure,palette,width){
var content=figure.contents[picked[figure.name]||0];
var layout=tinted(content.layout,palette);
if(width){layout.width=width;}
var small=narrow.matches;
layout.paper_bgcolor=palette.paper;layout.plot_bgcolor=palette.paper;
layout.font={family:getComputedStyle(document.body).fontFamily,size:small?11:12,
color:palette.ink};
layout.height=small?Math.round(Math.min(figure.height,360)*0.92):figure.height;
if(width){layout.height=Math.round(figure.height*0.7);}
if(small&&layout.showlegend){
layout.height+=9*content.traces.filter(function(t){return t.showlegend!==false;}).length;}
layout.margin={l:small?42:58,r:small?8:14,t:26,b:small?44:46};
layout.hoverlabel={bgcolor:palette.paper,bordercolor:palette.axis,font:{color:palette.ink}};
layout.dragmode=small?false:"zoom";
return Plotly.react("plot-"+figure.name,tinted(content.traces,palette),layout,
{displaylogo:false,displayModeBar:small?false:"hover",responsive:true,plotlyServerURL:"",
scrollZoom:false,modeBarButtons:[["toImage","zoom2d","pan2d","resetScale2d"]]});}
var round=0;
function paint(){
var mine=++round;
var palette=page.palettes[isDark()?"dark":"light"];
root.removeAttribute("data-drawn");
var queue=page.figures.slice();
(function next(){
if(mine!==round){return;}
var figure=queue.shift();
if(!figure){root.setAttribute("data-drawn",isDark()?"dark":"light");return;}
draw(figure,palette).then(function(){setTimeout(next,0);});})();}
function pick(){
page.figures.forEach(function(figure){
var select=document.getElementById(figure.name+"-pick");
if(!select){return;}
select.addEventListener("change",function(){
picked[figure.name]=select.selectedIndex;
draw(figure,page.palettes[isDark()?"dark":"light"]);});});}
function place(){
var links=Array.prototype.slice.call(document.querySelectorAll("nav a"));
var heads=links.map(function(link){return document.getElementById(link.hash.slice(1));});
var last=-1;
function mark(){
var now=0;
heads.forEach(function(head,i){if(head&&head.getBoundingClientRect().top<120){now=i;}});
if(window.innerHeight+window.scrollY>=document.body.scrollHeight-4){now=links.length-1;}
if(now===last){return;}
last=now;
links.forEach(function(link,i){
if(i===now){link.setAttribute("aria-current","true");
var bar=link.parentNode;bar.scrollLeft=link.offsetLeft-bar.offsetLeft-40;}
else{link.removeAttribute("aria-current");}});}
window.addEventListener("scroll",mark,{passive:true});mark();}
function print(){
window.addEventListener("beforeprint",function(){
round+=1;page.figures.forEach(function(figure){draw(figure,page.palettes.light,PAPER_PX);});});
window.addEventListener("afterprint",paint);}
toggle();pick();sortable();place();print();paint();
narrow.addEventListener("change",paint);
"""

SMALL = """
function paint(){root.setAttribute("data-drawn",isDark()?"dark":"light");}
function handOn(){
var theme=root.getAttribute("data-theme");
document.querySelectorAll("a.page").forEach(function(link){link.hash=theme||"";});}
var told=window.location.hash.slice(1);
if(told==="light"||told==="dark"){root.setAttribute("data-theme",told);}
toggle();sortable();handOn();
document.getElementById("theme").addEventListener("click",handOn);
paint();
"""

SCRIPT = f"\n(function(){{{COMMON}{REPORT}}})();\n"
"""Of the report of a run, with figures to draw."""
SMALL_SCRIPT = f"\n(function(){{{COMMON}{SMALL}}})();\n"
"""Of the small pages: a choice of colours goes along to the next page in its address."""
