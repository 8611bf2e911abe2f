//! What `use` declarations bring in, laid out flat: braces must not hide a path from a list of words.

use super::lexer::{Kind, Token};

/// The path of every import, as if each had a `use` of its own; a `;` ends each.
pub(super) fn imports<'a>(code: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut flat = Vec::new();
    for declaration in code.split(|token| token.is(";")) {
        let Some(start) = declaration.iter().rposition(|token| token.is("use")) else { continue };
        let (mut path, mut groups) = (Vec::new(), Vec::new());
        for token in declaration.get(start + 1..).unwrap_or_default() {
            match token.text {
                "{" => groups.push(path.len()),
                "," => finish(&mut path, groups.last(), &mut flat),
                "}" => {
                    finish(&mut path, groups.last(), &mut flat);
                    groups.pop();
                    path.truncate(groups.last().copied().unwrap_or_default());
                }
                _ => path.push(*token),
            }
        }
        finish(&mut path, None, &mut flat);
    }
    flat
}

/// Writes down what `path` has beyond the group it stands in, with all that leads there, and goes back to the group.
fn finish<'a>(path: &mut Vec<Token<'a>>, group: Option<&usize>, flat: &mut Vec<Token<'a>>) {
    let group = group.copied().unwrap_or_default();
    if let Some(last) = path.get(group..).and_then(<[_]>::last) {
        let end = Token { kind: Kind::Punctuation, text: ";", line: last.line };
        flat.extend(path.iter().copied());
        flat.push(end);
    }
    path.truncate(group);
}

#[cfg(test)]
mod tests {
    use super::imports;
    use crate::tidy::lexer::tokens;

    fn flat(source: &str) -> String {
        imports(&tokens(source)).iter().map(|token| token.text).collect()
    }

    #[test]
    fn groups_are_opened() {
        assert_eq!(flat("use a::b; fn f() {} use c::{d, e::{f, g}};"), "a::b;c::d;c::e::f;c::e::g;");
        assert_eq!(flat("pub use a::{self, b::{c, d,}, e};"), "a::self;a::b::c;a::b::d;a::e;");
        assert_eq!(flat("use {a::b, c};"), "a::b;c;");
    }

    #[test]
    fn what_is_no_import_gives_nothing() {
        assert_eq!(flat("fn f() { g(a, b); } \"use a;\""), "");
    }
}
