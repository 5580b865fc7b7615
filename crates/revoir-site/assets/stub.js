// A page that only has a short name: leads to the page in a language that the browser asks for.
"use strict";
{
  const links = [...document.querySelectorAll("a[hreflang]")];
  const base = (tag) => tag.toLowerCase().split("-")[0];
  const wanted = (navigator.languages || [navigator.language]).map(base);
  const tag = wanted.find((own) => links.some((link) => base(link.hreflang) === own));
  const link = links.find((one) => base(one.hreflang) === tag) || links[0];
  const to = new URL(link.href, location.href);
  to.hash ||= location.hash;
  location.replace(to);
}
