//! A reader of HTML that is stricter than a browser: what it accepts needs no repair.

use std::collections::HashSet;

/// An element with what stands in it.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
    /// Its text and that of its descendants, unescaped.
    pub(crate) text: String,
    parent: Option<usize>,
}

/// The elements of a page, in order.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) elements: Vec<Element>,
}

const VOID: [&str; 6] = ["meta", "link", "input", "br", "hr", "wbr"];
/// What a browser closes when one of `BLOCKS` begins inside it.
const INLINE: [&str; 9] = ["p", "a", "span", "b", "h1", "h2", "h3", "small", "cite"];
const BLOCKS: [&str; 12] = [
    "p", "ul", "ol", "dl", "div", "section", "table", "figure", "h1", "h2", "h3", "details",
];

impl Element {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.get("class")
            .is_some_and(|classes| classes.split(' ').any(|own| own == class))
    }

    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| name.as_str())
    }
}

impl Page {
    /// Reads a page, or says what is wrong with it and where.
    pub(crate) fn read(html: &str) -> Result<Self, String> {
        let mut rest = html
            .strip_prefix("<!doctype html>")
            .ok_or("does not begin with a doctype")?;
        let mut elements: Vec<Element> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        while let Some(at) = rest.find('<') {
            let text = unescaped(&rest[..at])?;
            for &index in &open {
                elements[index].text.push_str(&text);
            }
            let end = rest[at..].find('>').ok_or("a tag without an end")? + at;
            let tag = &rest[at + 1..end];
            rest = &rest[end + 1..];
            if let Some(name) = tag.strip_prefix('/') {
                let index = open
                    .pop()
                    .ok_or_else(|| format!("</{name}> closes nothing"))?;
                if elements[index].name != name {
                    return Err(format!("</{name}> closes <{}>", elements[index].name));
                }
                continue;
            }
            let (tag, closed) = match tag.strip_suffix('/') {
                Some(tag) => (tag, true),
                None => (tag, false),
            };
            let element = element(tag, open.last().copied())?;
            if BLOCKS.contains(&element.name.as_str()) {
                for &index in &open {
                    let outer = elements[index].name.as_str();
                    if INLINE.contains(&outer) {
                        return Err(format!("<{}> in <{outer}>", element.name));
                    }
                }
            }
            let nested = open.iter().any(|&index| elements[index].name == "a");
            if element.name == "a" && nested {
                return Err("a link in a link".to_owned());
            }
            let is_void = VOID.contains(&element.name.as_str()) || closed;
            elements.push(element);
            if !is_void {
                open.push(elements.len() - 1);
            }
        }
        if let Some(&index) = open.last() {
            return Err(format!("<{}> is never closed", elements[index].name));
        }
        if !rest.trim().is_empty() {
            return Err("text behind the last tag".to_owned());
        }
        let page = Self { elements };
        page.check_ids()?;
        Ok(page)
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements
            .iter()
            .filter(move |element| element.name == name)
    }

    pub(crate) fn ids(&self) -> HashSet<&str> {
        self.elements
            .iter()
            .filter_map(|element| element.get("id"))
            .collect()
    }

    /// The language of an element: its own, or that of what it stands in.
    pub(crate) fn lang_of(&self, element: &Element) -> Option<&str> {
        match (element.get("lang"), element.parent) {
            (Some(lang), _) => self.own(lang),
            (None, Some(parent)) => self.lang_of(&self.elements[parent]),
            (None, None) => None,
        }
    }

    /// The same text, borrowed from the page.
    fn own(&self, lang: &str) -> Option<&str> {
        let langs = self
            .elements
            .iter()
            .filter_map(|element| element.get("lang"));
        langs.into_iter().find(|own| *own == lang)
    }

    /// Every id once, and everything that points at one points at one that is there.
    fn check_ids(&self) -> Result<(), String> {
        let mut seen = HashSet::new();
        for id in self.elements.iter().filter_map(|element| element.get("id")) {
            if id.is_empty() || id.contains(' ') || !seen.insert(id) {
                return Err(format!("the id `{id}` is unfit, or there twice"));
            }
        }
        for pointer in ["for", "aria-labelledby", "aria-controls"] {
            for id in self
                .elements
                .iter()
                .filter_map(|element| element.get(pointer))
                // Names and controls may be several.
                .flat_map(|ids| ids.split(' '))
            {
                if !seen.contains(id) {
                    return Err(format!("{pointer} points at `{id}`, which is not there"));
                }
            }
        }
        Ok(())
    }
}

fn element(tag: &str, parent: Option<usize>) -> Result<Element, String> {
    let (name, mut rest) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
    if name.is_empty()
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    {
        return Err(format!("<{tag}> is no element"));
    }
    let mut attributes: Vec<(String, String)> = Vec::new();
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let value = match after.strip_prefix("=\"") {
            Some(quoted) => {
                let (value, after) = quoted
                    .split_once('"')
                    .ok_or_else(|| format!("{name} in <{tag}> is not closed"))?;
                rest = after;
                unescaped(value)?
            }
            None if after.starts_with('=') => {
                return Err(format!("{name} in <{tag}> is not quoted"));
            }
            None => {
                rest = after;
                String::new()
            }
        };
        if attributes.iter().any(|(own, _)| own == name) {
            return Err(format!("{name} stands twice in <{tag}>"));
        }
        attributes.push((name.to_owned(), value));
    }
    Ok(Element {
        name: name.to_owned(),
        attributes,
        text: String::new(),
        parent,
    })
}

/// A text with its character references replaced.
fn unescaped(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    for (i, part) in text.split('&').enumerate() {
        if i == 0 {
            out.push_str(part);
            continue;
        }
        let (name, rest) = part
            .split_once(';')
            .ok_or_else(|| format!("a bare & before `{part}`"))?;
        let character = match name {
            "amp" | "#38" => '&',
            "lt" | "#60" => '<',
            "gt" | "#62" => '>',
            "quot" | "#34" => '"',
            "#39" => '\'',
            other => return Err(format!("the reference &{other};")),
        };
        out.push(character);
        out.push_str(rest);
    }
    Ok(out)
}

#[test]
fn what_a_browser_would_have_to_repair_is_refused() {
    for wrong in [
        "<p>no doctype</p>",
        "<!doctype html><p>open",
        "<!doctype html><p><b></p></b>",
        "<!doctype html><p><ul></ul></p>",
        "<!doctype html><p class=a></p>",
        "<!doctype html><p>a & b</p>",
        "<!doctype html><p id=\"a\"></p><p id=\"a\"></p>",
        "<!doctype html><a href=\"x\"><a href=\"y\"></a></a>",
    ] {
        assert!(Page::read(wrong).is_err(), "{wrong}");
    }
    let page = Page::read("<!doctype html><p lang=\"fr\"><b>a &lt;</b></p>").unwrap();
    assert_eq!(page.elements[0].text, "a <");
    assert_eq!(page.lang_of(&page.elements[1]), Some("fr"));
}
