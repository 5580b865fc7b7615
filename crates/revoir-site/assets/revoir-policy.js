// Generated from clients/js by `npm run classic`. Do not edit. sources 9676aa35ecd77ab312a3746fd81a1f915cfca419, script ba5a8d323ae1bd48bbc6ede36c21fdb74f9c5cf9
var revoir=(()=>{var p=Object.defineProperty;var A=Object.getOwnPropertyDescriptor;var L=Object.getOwnPropertyNames;var D=Object.prototype.hasOwnProperty;var U=(t,e)=>{for(var n in e)p(t,n,{get:e[n],enumerable:!0})},j=(t,e,n,r)=>{if(e&&typeof e=="object"||typeof e=="function")for(let s of L(e))!D.call(t,s)&&s!==n&&p(t,s,{get:()=>e[s],enumerable:!(r=A(e,s))||r.enumerable});return t};var B=t=>j(p({},"__esModule",{value:!0}),t);var st={};U(st,{decision:()=>S});function H(t,e){let[n="",r,s,a="=",o=1/0,...l]=t.split(" "),[i=0,c=i]=n.split("-").map(Number),u=s==="stop",f={rule:r==="="?e+n:r,first:u?null:s,later:a==="="?s:a,attempts:+o,refresh:l.includes("refresh"),resume:!l.includes("afresh")};return{subject:n,from:i,to:c,plan:f}}function d(t,e=""){let n=t.split(`
`).map(r=>H(r,e));return r=>n.find(({subject:s,from:a,to:o})=>s===r||a<=+r&&+r<=o)?.plan}var z=[1001,1012,1013],E="(0|[1-9]\\d{0,6})",G=new RegExp(`(?:^|[^ ]) \\[after=${E}ms(?: spread=${E}ms)?\\]$`);function y(t,e){let[n,r=0,s=0]=z.includes(t)&&G.exec(e)||[];return n&&Math.max(+r,+s)<=36e5?[+r,+s]:null}var w={fast:[250,1e3,500,5e3,3e4],normal:[250,5e3,500,5e3,3e4],restart:[1e3,5e3,500,5e3,3e4],slow:[5e3,2e4,5e3,4e4,3e5]},k=`1000 = stop
1001 = normal
1002 = normal = 1 afresh
1003 = stop
1005 = normal = 3
1006 = normal
1007 = normal = 1
1008 = normal = 1 refresh afresh
1009 = normal = 1
1010 = stop
1011 = normal slow 3
1012 = restart normal
1013 = slow
1014 = normal
1015 = slow = 3
3000 = normal = 1 refresh
3001-3002 range-registered normal = 3
3003 = stop
3004-3007 range-registered normal = 3
3008 = fast normal
3009-3999 range-registered normal = 3
4000-4999 range-private normal = 3`;var T=`closed-locally = stop
pong-timeout = fast normal
protocol-error = normal = 1 afresh
connect-timeout = normal
handshake-invalid = stop`;var I=250,Y=1e4,$=4,P=[5e3,3e4],h={attempts:0,lastDelayMs:0,counts:[]},_=d(k,"code-"),K=d(T);function x({cause:t}){return/^(closed-by|eof|reset|tls|write)/.test(t)}function V(t){return String(x(t)?t.code:t.status||t.cause)}function X(t,e=[]){for(let s of e){let a=s(t);if(a)return a}let n=x(t)?"protocol-error":t.cause;return(x(t)?_(t.code):void 0)??K(n)??{..._(1006),rule:n}}function q(t,e,n){if(typeof t!="string"){let i=Math.max(t[0],I);return[i,Math.max(t[1],i)]}let[r,s,a,o,l]=w[t];return e>1?[a,Math.min(l,o*2**(e-2))]:t==="restart"&&n?P:[r,s]}function J({cause:t,code:e,reason:n,retryAfterMs:r}){let s=null;if(t==="handshake-rejected"&&r!=null){let o=Math.min(r,36e5);s=[o,Math.max(Math.floor(o/4),1e3)]}else t==="closed-by-peer"&&(s=y(e,n));if(!s)return null;let a=Math.max(s[0],I);return[a,a+s[1]]}function Q([t,e],n){return t+Number(BigInt(Math.floor(e-t+1))*BigInt(n)>>32n)}function W(t,e){let n=t.findIndex(([s])=>s===e);if(n>=0||t.length<$)return n>=0?n:t.length;let r=t.map(s=>s[1]);return r.indexOf(Math.min(...r))}function Z(t,e,n,r){return t.first?t.refresh&&!e.refresh?"no-credentials":r>=t.attempts?"exhausted":n>(e.maxAttempts??1/0)?"max-attempts":null:"final"}function v(t,e,n,r){let s=X(t,n.plans),o=(t.openMs??0)>=Math.max(Y,e.lastDelayMs)?h:e,l=Math.min(o.attempts+1,4294967295),i=V(t),c=W(o.counts,i),u=o.counts[c]?.[1]??0,f=l>1?s.later:s.first,g=Z(s,n,l,u),O={retry:!1,delayMs:null,rule:s.rule,class:"stop",stop:g,attempt:l,advised:!1,refresh:!1,resume:!1};if(g||!f)return{decision:O,history:o};let m=J(t),M=Q(m??q(f,l,n.registered),r),b=[...o.counts];return s.attempts<1/0&&(b[c]=[i,u+1]),{decision:{...O,retry:!0,delayMs:M,class:m?"advised":typeof f=="string"?f:"custom",advised:!!m,refresh:s.refresh,resume:s.resume},history:{attempts:l,lastDelayMs:M,counts:b}}}function N({code:t,opened:e,ownClose:n,offline:r,frozen:s}){return n?"closed-locally":t===1015?"tls-failed":t!==1006?"closed-by-peer":e?r||s?"lost-locally":"lost":"never-opened"}var tt={lost:"eof","never-opened":"eof","hook-failed":"eof","lost-locally":"pong-timeout",blocked:"handshake-invalid"};function C(t){return{...t,cause:tt[t.cause]??t.cause,detail:null}}function R(){return globalThis.navigator?.onLine===!1}function S({code:t,reason:e="",openMs:n=null,ownClose:r=!1},s={},a=h){let o=N({code:t,opened:n!==null,ownClose:r,offline:R(),frozen:!1}),l=Math.floor(Math.random()*2**32);return v(C({code:t,reason:e,openMs:n,cause:o}),a,s,l).decision}return B(st);})();
