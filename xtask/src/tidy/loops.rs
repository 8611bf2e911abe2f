//! Where a source goes round: `for`, `while` and `loop`, and the `for`s that are none.

use super::lexer::Token;

/// Every loop, from its keyword to its last brace. One inside another comes as well.
pub(super) fn loops<'s, 'a>(code: &'s [Token<'a>]) -> impl Iterator<Item = &'s [Token<'a>]> {
    let starts = (0..code.len()).filter(|start| begins(code, *start));
    starts.filter_map(|start| code.get(start..).map(whole))
}

/// Whether a loop begins at `at`. `impl A for B` and `for<'a>` are none.
fn begins(code: &[Token<'_>], at: usize) -> bool {
    let Some((keyword, following)) = code.get(at..).and_then(<[_]>::split_first) else { return false };
    if keyword.is("while") || keyword.is("loop") {
        return true;
    }
    let lifetimes = following.first().is_some_and(|next| next.is("<"));
    let before = code.get(..at).unwrap_or_default().iter().rev();
    let mut header = before.take_while(|token| !["{", "}", ";"].iter().any(|end| token.is(end)));
    keyword.is("for") && !lifetimes && !header.any(|token| token.is("impl"))
}

/// What `tokens` begins with, up to the brace that closes its body. The braces of a pattern are not its body.
fn whole<'s, 'a>(tokens: &'s [Token<'a>]) -> &'s [Token<'a>] {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        if ["{", "(", "["].iter().any(|open| token.is(open)) {
            depth += 1;
        } else if ["}", ")", "]"].iter().any(|close| token.is(close)) {
            depth = depth.saturating_sub(1);
        }
        let of_a_pattern = tokens.get(index + 1).is_some_and(|next| next.is("in") || next.is("="));
        if depth == 0 && token.is("}") && !of_a_pattern {
            return tokens.get(..=index).unwrap_or_default();
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::loops;
    use crate::tidy::lexer::tokens;

    #[test]
    fn loops_are_found_whole() {
        let source = "impl A for B { fn f(g: impl for<'a> Fn(&'a u8)) { for P { x } in y { z(|| {}) } w }\n\
                      fn h() { while let Q { .. } = i() { loop { j } } k } } where T: for<'b> U<'b> {}";
        let found: Vec<_> = loops(&tokens(source))
            .map(|found| found.iter().map(|token| token.text).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            found,
            [
                "for P { x } in y { z ( | | { } ) }",
                "while let Q { . . } = i ( ) { loop { j } }",
                "loop { j }"
            ]
        );
    }
}
