use std::fmt;

/// A URL of ours that a gateway posts results to: `https`, or `http` on the loopback interface for tests.
///
/// It often holds an unguessable part, so it prints its origin only.
///
/// ```
/// use malipo_core::CallbackUrl;
///
/// let url: CallbackUrl = "https://pay.example.com/b2c/result/0123456789".parse()?;
/// assert_eq!(format!("{url:?}"), "CallbackUrl(https://pay.example.com/…)");
/// assert!("http://pay.example.com/b2c".parse::<CallbackUrl>().is_err());
/// # Ok::<(), malipo_core::InvalidCallbackUrl>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackUrl(String);

/// Why a text is not a usable callback URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCallbackUrl {
    /// It does not begin with `https://`, nor with `http://` and a loopback host.
    #[error("a callback URL begins with https:// (http:// only for 127.0.0.1, [::1] and localhost)")]
    Scheme,
    /// The host is missing or malformed, or there is a user name or password before it.
    #[error(
        "a callback URL needs a host of letters, digits, dots and hyphens, at most a port, and no user name"
    )]
    Host,
    /// A character that does not belong into a URL, or a fragment.
    #[error("a callback URL has no spaces, no control or non-ASCII characters and no #fragment")]
    Character,
    /// Longer than [`CallbackUrl::LONGEST`] bytes.
    #[error("a callback URL has at most {} characters", CallbackUrl::LONGEST)]
    TooLong,
}

impl CallbackUrl {
    /// The most bytes a callback URL has.
    pub const LONGEST: usize = 500;

    /// The whole URL, for the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port.
    fn origin(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        let end =
            self.0.get(after_scheme..).and_then(|rest| rest.find(['/', '?'])).map(|at| at + after_scheme);
        self.0.get(..end.unwrap_or(self.0.len())).unwrap_or_default()
    }
}

impl std::str::FromStr for CallbackUrl {
    type Err = InvalidCallbackUrl;

    fn from_str(text: &str) -> Result<Self, InvalidCallbackUrl> {
        if text.len() > Self::LONGEST {
            return Err(InvalidCallbackUrl::TooLong);
        }
        if text
            .bytes()
            .any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'#' | b'"' | b'<' | b'>' | b'\\'))
        {
            return Err(InvalidCallbackUrl::Character);
        }
        let (rest, plain) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (rest, false),
            (_, Some(rest)) => (rest, true),
            _ => return Err(InvalidCallbackUrl::Scheme),
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        let host_is_good = host == "[::1]" || (!host.is_empty() && host.bytes().all(name));
        let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok());
        if !host_is_good || !port_is_good {
            return Err(InvalidCallbackUrl::Host);
        }
        if plain && !is_loopback(host) {
            return Err(InvalidCallbackUrl::Scheme);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether `host` (an IPv6 address in brackets) is this machine by its name or number.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Debug for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallbackUrl({}/…)", self.origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_url_a_gateway_may_post_to_is_accepted() {
        for good in [
            "https://pay.example.com",
            "https://pay.example.com:8443/b2c?x=1",
            "https://10.0.0.1/x",
            "http://127.0.0.1:8080/result",
            "http://127.8.9.10/",
            "http://[::1]:9000/x",
            "http://localhost:1/x",
        ] {
            assert!(good.parse::<CallbackUrl>().is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://pay.example.com/", InvalidCallbackUrl::Scheme),
            ("http://127.0.0.1.example.com/", InvalidCallbackUrl::Scheme),
            ("ftp://pay.example.com/", InvalidCallbackUrl::Scheme),
            ("pay.example.com", InvalidCallbackUrl::Scheme),
            ("", InvalidCallbackUrl::Scheme),
            ("https://", InvalidCallbackUrl::Host),
            ("https:///path", InvalidCallbackUrl::Host),
            ("https://user:word@pay.example.com/", InvalidCallbackUrl::Host),
            ("https://pay.example.com:port/", InvalidCallbackUrl::Host),
            ("https://pay.example.com:99999/", InvalidCallbackUrl::Host),
            ("https://pay_example/", InvalidCallbackUrl::Host),
            ("https://pay.example.com/a b", InvalidCallbackUrl::Character),
            ("https://pay.example.com/ ", InvalidCallbackUrl::Character),
            ("https://pay.example.com/#x", InvalidCallbackUrl::Character),
            ("https://pay.example.com/é", InvalidCallbackUrl::Character),
            ("https://pay.example.com/\r\nx", InvalidCallbackUrl::Character),
        ] {
            assert_eq!(bad.parse::<CallbackUrl>(), Err(why), "{bad}");
        }
        let long = format!("https://pay.example.com/{}", "1".repeat(500));
        assert_eq!(long.parse::<CallbackUrl>(), Err(InvalidCallbackUrl::TooLong));
    }

    #[test]
    fn the_unguessable_part_is_not_printed() {
        for text in ["https://pay.example.com:8443/secret", "https://pay.example.com:8443?secret"] {
            let url: CallbackUrl = text.parse().unwrap();
            assert_eq!(format!("{url:?}"), "CallbackUrl(https://pay.example.com:8443/…)");
        }
    }
}
