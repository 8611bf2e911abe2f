//! Links between the repository's own pages.

use std::collections::BTreeSet;

use super::{Check, Finding, House, Repository, Rule};

/// The rule about links.
pub(super) const RULES: &[Rule] = &[Rule {
    name: "links",
    reason: "a link leads to a file or a heading that is there; a page that moves takes its links along",
    check: Check::Whole(broken),
}];

fn broken(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in house.repository.files.iter().filter(|(path, _)| path.ends_with(".md")) {
        for (line, target) in targets(&prose(text)) {
            if !leads_somewhere(house.repository, path, target) {
                findings.push(Finding::new(
                    path.as_str(),
                    line,
                    format!("the link to {target} leads nowhere"),
                ));
            }
        }
    }
    findings
}

/// Whether `target`, as page `from` has it, is there. Other sites and Rust's own paths are not ours to judge.
fn leads_somewhere(repository: &Repository, from: &str, target: &str) -> bool {
    if target.contains("://") || target.contains("::") || target.starts_with("mailto:") {
        return true;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = resolved(from, file) else { return false };
    let Some(text) = repository.file(&path) else {
        return anchor.is_empty() && (path.is_empty() || repository.has_folder(&path));
    };
    // Elsewhere than in pages an anchor is a line.
    anchor.is_empty() || !path.ends_with(".md") || anchors(text).contains(anchor)
}

/// The path from the root that `file` means on page `from`; none when it leads out of the repository.
fn resolved(from: &str, file: &str) -> Option<String> {
    if file.is_empty() {
        return Some(from.to_owned());
    }
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (start, file) = file.strip_prefix('/').map_or((folder, file), |file| ("", file));
    let mut parts: Vec<_> = start.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The names that GitHub gives a page's headings, and those it gives itself in HTML.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in without_blocks(text).lines() {
        let heading = line.trim_start_matches('#');
        if heading.len() < line.len() && heading.starts_with(' ') {
            let plain = slug(heading.trim().trim_end_matches('#'));
            let numbered = (1..).map(|number| format!("{plain}-{number}"));
            let free = std::iter::once(plain.clone()).chain(numbered).find(|name| !anchors.contains(name));
            anchors.extend(free);
        }
        for attribute in ["id=\"", "name=\""] {
            let values = line.split(attribute).skip(1).filter_map(|rest| rest.split_once('"'));
            anchors.extend(values.map(|(name, _)| name.to_owned()));
        }
    }
    anchors
}

/// A heading as GitHub writes it in a URL: small letters, digits, `-` and `_`, every space a `-`.
fn slug(heading: &str) -> String {
    let shown = heading.split("](").enumerate().map(|(at, part)| match at {
        0 => part,
        _ => part.split_once(')').map_or("", |(_, after)| after),
    });
    let letters = shown.collect::<String>().trim().to_lowercase();
    let kept = letters.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Where the links of some prose lead, with their lines.
fn targets(prose: &str) -> Vec<(usize, &str)> {
    let mut targets = Vec::new();
    for (at, _) in prose.match_indices("](") {
        let rest = prose.get(at + 2..).unwrap_or_default();
        let end = rest.find([')', ' ', '\n']).unwrap_or(rest.len());
        targets.push((line_at(prose, at), rest.get(..end).unwrap_or_default()));
    }
    for (index, line) in prose.lines().enumerate().filter(|(_, line)| line.starts_with('[')) {
        if let Some((_, target)) = line.split_once("]: ") {
            targets.push((index + 1, target.split_whitespace().next().unwrap_or_default()));
        }
    }
    targets.retain(|(_, target)| !target.is_empty());
    targets
}

fn line_at(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// A page without its code. Every line stays where it is.
fn prose(text: &str) -> String {
    let text = without_blocks(text);
    let (mut prose, mut rest) = (String::new(), text.as_str());
    while let Some(at) = rest.find('`') {
        let (before, code) = rest.split_at(at);
        let ticks = code.len() - code.trim_start_matches('`').len();
        let (open, inside) = code.split_at(ticks);
        prose.push_str(before);
        let (code, after) = inside.split_at(span(inside, open).unwrap_or_default());
        prose.extend(code.chars().filter(|c| *c == '\n'));
        rest = after;
    }
    prose.push_str(rest);
    prose
}

/// How long inline code is that begins with `inside`, up to and with the backticks that close it.
fn span(inside: &str, open: &str) -> Option<usize> {
    let paragraph = inside.find("\n\n").unwrap_or(inside.len());
    let mut from = 0;
    while let Some(at) = inside.get(from..paragraph)?.find(open) {
        let close = inside.get(from + at..)?;
        let ticks = close.len() - close.trim_start_matches('`').len();
        from += at + ticks;
        if ticks == open.len() {
            return Some(from);
        }
    }
    None
}

/// A page without its code blocks. Every line stays where it is.
fn without_blocks(text: &str) -> String {
    let (mut kept, mut fence) = (String::new(), None);
    for line in text.lines() {
        let start = line.trim_start();
        let marks = ["```", "~~~"].into_iter().find(|marks| start.starts_with(marks));
        match (fence, marks) {
            (None, None) => kept.push_str(line),
            (None, Some(_)) => fence = marks,
            (Some(open), Some(close)) if open == close => fence = None,
            _ => {}
        }
        kept.push('\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{anchors, prose, slug, targets};

    #[test]
    fn links_in_code_are_none() {
        let page = "a [b](c.md) `[d](e)`\n```rust\n[f](g)\n```\n[h\ni](j.md \"k\") ``[l](`m)``\n[n]: o.md\n~~~\n[p](q)\n~~~\n";
        assert_eq!(targets(&prose(page)), [(1, "c.md"), (6, "j.md"), (7, "o.md")]);
    }

    #[test]
    fn a_lone_backtick_hides_nothing() {
        assert_eq!(targets(&prose("a ` b\n\n[c](d) `e` [`f`](g)")), [(3, "d"), (3, "g")]);
    }

    #[test]
    fn headings_are_named_as_github_does() {
        assert_eq!(slug("What it does, and what `we` do_of it!"), "what-it-does-and-what-we-do_of-it");
        assert_eq!(slug("D1. v3 \u{2014} [a](b.md) c"), "d1-v3--a-c");
        let page = "# A\n## A\n```\n# B\n```\n#hash\n<a id=\"c\"></a>\n";
        assert_eq!(anchors(page).into_iter().collect::<Vec<_>>(), ["a", "a-1", "c"]);
    }
}
