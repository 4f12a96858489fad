#include "document/report_parts.h"

namespace prismvid::document {

const char* report_style() {
  return R"css(
:root{--paper:#fbfaf8;--card:#fff;--ink:#23262b;--soft:#6b7079;--line:#e6e3dd;--accent:#3f6ea8;
--scene:#8a8f99;--scene2:#b3b7bf;--shot:#5f7f9f;--shot2:#9db5cc;--person:#b5734a;--text:#4f8a6d;--speech:#7a9c4f;
--object:#7d6aa8;--label:#a3895a;--marker:#4b4f57;--good:#3c7d58;--bad:#a8433a;--warn-bg:#fdf3df;--warn-ink:#6f521b}
@media (prefers-color-scheme:dark){:root{--paper:#15171a;--card:#1d2024;--ink:#e6e4df;--soft:#989da6;--line:#2f3339;
--accent:#8bb4e6;--scene:#757b86;--scene2:#4f545d;--shot:#6f93b8;--shot2:#445f7b;--person:#d0935f;--text:#6cb08d;
--speech:#9bbd6c;--object:#a18fd0;--label:#c5a873;--marker:#b9bdc5;--good:#74bd93;--bad:#e08378;--warn-bg:#33290f;
--warn-ink:#ecd190}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans","Noto Sans CJK SC",sans-serif;overflow-wrap:anywhere}
main{max-width:72rem;margin:0 auto;padding:3rem 1.5rem 4rem}
h1{font-size:clamp(1.5rem,4vw,2.2rem);line-height:1.2;margin:.2rem 0 .8rem;font-weight:650;letter-spacing:-.01em}
h2{font-size:1.15rem;margin:0;font-weight:650}
p{margin:.3rem 0}
.kicker{color:var(--soft);font-size:.8rem;letter-spacing:.08em;text-transform:uppercase;margin:0}
.lead{font-size:1.1rem;max-width:56rem}
.facts{display:flex;flex-wrap:wrap;gap:.6rem 2.2rem;margin:1.4rem 0 0;padding:0}
.facts div{min-width:6rem}
.facts dt{color:var(--soft);font-size:.78rem}
.facts dd{margin:0;font-variant-numeric:tabular-nums}
.banner{background:var(--warn-bg);color:var(--warn-ink);border-radius:.6rem;padding:.8rem 1.1rem;margin:1.6rem 0 0}
.banner strong{display:block}
.banner ul{margin:.2rem 0 0;padding-left:1.1rem}
section{margin-top:3rem}
.head{display:flex;flex-wrap:wrap;align-items:baseline;gap:.2rem .8rem;margin-bottom:1rem;border-bottom:1px solid
var(--line);padding-bottom:.5rem}
.note,.none{color:var(--soft);font-size:.9rem}
.timeline{--names:9rem;display:grid;gap:.35rem}
.lane{display:grid;grid-template-columns:var(--names) 1fr;align-items:center;gap:.8rem}
.lane .name{color:var(--soft);font-size:.85rem;text-align:right;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.lane svg{width:100%;height:1.05rem;display:block;background:var(--line);border-radius:.25rem;overflow:hidden}
.lane svg.scenes,.lane svg.shots{height:1.4rem}
svg.scenes rect{fill:var(--scene)}svg.scenes rect.odd{fill:var(--scene2)}
svg.shots rect{fill:var(--shot)}svg.shots rect.odd{fill:var(--shot2)}
svg.people rect{fill:var(--person)}svg.texts rect{fill:var(--text);fill-opacity:.8}svg.speech rect{fill:var(--speech)}
svg.objects rect{fill:var(--object)}svg.labels rect{fill:var(--label)}svg.markers rect{fill:var(--marker)}
.axis{position:relative;height:1.3rem;margin-left:calc(var(--names) + .8rem);color:var(--soft);font-size:.75rem;
font-variant-numeric:tabular-nums}
.axis span{position:absolute;bottom:0;padding-left:.25rem;border-left:1px solid var(--line)}
.grid{display:grid;gap:1.2rem;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr))}
.faces{grid-template-columns:repeat(auto-fill,minmax(9rem,1fr))}
figure{margin:0;min-width:0;break-inside:avoid}
figure img,figure .blank{display:block;width:100%;aspect-ratio:16/9;object-fit:contain;background:var(--line);
border-radius:.5rem}
.faces img,.faces .blank{aspect-ratio:1;object-fit:cover;border-radius:50%;width:7rem;margin:0 auto}
.faces figure{text-align:center}
.things img,.things .blank{aspect-ratio:4/3}
figcaption{font-size:.85rem;color:var(--soft);margin-top:.4rem;font-variant-numeric:tabular-nums}
figcaption b{color:var(--ink);font-weight:600;display:block;font-size:.95rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th{color:var(--soft);font-weight:500;font-size:.8rem;text-align:left}
th,td{padding:.45rem .8rem .45rem 0;border-bottom:1px solid var(--line);vertical-align:top}
.number,.when{font-variant-numeric:tabular-nums;white-space:nowrap}
th.number,td.number{text-align:right}
td.words{min-width:14rem}
.bars{display:grid;gap:.45rem}
.bar{display:grid;grid-template-columns:minmax(8rem,16rem) 1fr 3.2rem;gap:.8rem;align-items:center;font-size:.92rem}
.bar i{display:block;height:.5rem;border-radius:.25rem;background:var(--label)}
.bar .track{background:var(--line);border-radius:.25rem}
.state{white-space:nowrap}
.state::before{content:"";display:inline-block;width:.55rem;height:.55rem;border-radius:50%;margin-right:.45rem;
background:var(--soft)}
.state.done::before,.state.cached::before{background:var(--good)}
.state.failed::before,.state.unavailable::before{background:var(--bad)}
summary{cursor:pointer;color:var(--accent)}
footer{margin-top:3.5rem;color:var(--soft);font-size:.82rem;border-top:1px solid var(--line);padding-top:1rem}
@media (max-width:40rem){main{padding:1.6rem 1rem 3rem}.timeline{--names:5.2rem}
.grid{grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr))}.faces{grid-template-columns:repeat(auto-fill,minmax(7.5rem,1fr))}
.bar{grid-template-columns:7rem 1fr 3rem}}
@media print{:root{--paper:#fff}body{font-size:11pt}main{max-width:none;padding:0}section{margin-top:1.6rem}
.head{break-after:avoid}.lane,tr,.bar{break-inside:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.grid{grid-template-columns:repeat(4,1fr)}details:not([open]){display:none}}
)css";
}

}  // namespace prismvid::document
