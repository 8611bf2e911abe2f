//! Where an account's callbacks may come from. An address is no proof; it keeps out who has seen a URL and posts to it
//! from somewhere else.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;
use malipo_core::ProviderId;

/// What happens to a callback that comes from somewhere else. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceMode {
    /// Nothing: addresses are not looked at.
    Off,
    /// It is taken, with a warning and a count. The way to find out whether a list is right.
    Report,
    /// It is nobody's: an empty 404, as for what was posted to no URL of ours. So is what comes from where nobody knows.
    Enforce,
}

/// The addresses that one account's callbacks are expected from, and what happens to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    mode: SourceMode,
    networks: Vec<IpNet>,
}

/// Why a list of sources cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSources {
    /// This is no network.
    #[error(
        "`{0}` is neither an address, such as 192.0.2.7 or 2001:db8::7, nor a network, such as 192.0.2.0/24"
    )]
    Network(String),
    /// The list is empty.
    #[error("a list of sources without an address would fit nobody: name some, or use `SourceMode::Off`")]
    Empty,
    /// The receiver's payments have no such account.
    #[error("there is no account `{0}` whose callbacks could be held against a list")]
    NoSuchAccount(ProviderId),
}

impl Sources {
    /// These addresses (`192.0.2.7`, `2001:db8::7`) and networks (`192.0.2.0/24`). An IPv4 address is only ever in a
    /// network of IPv4, however it is written.
    ///
    /// # Errors
    ///
    /// [`InvalidSources::Network`], and [`InvalidSources::Empty`] unless the mode is [`SourceMode::Off`].
    pub fn new<'a>(
        mode: SourceMode,
        networks: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidSources> {
        let networks: Vec<_> = networks.into_iter().map(network).collect::<Result<_, _>>()?;
        if networks.is_empty() && mode != SourceMode::Off {
            return Err(InvalidSources::Empty);
        }
        Ok(Self { mode, networks })
    }

    pub(crate) const fn mode(&self) -> SourceMode {
        self.mode
    }

    /// Whether nothing is to be said of a callback from there; `None` is nobody knows where.
    pub(crate) fn expects(&self, from: Option<IpAddr>) -> bool {
        let listed = |from| self.networks.iter().any(|network| network.contains(&from));
        self.mode == SourceMode::Off || from.is_some_and(listed)
    }
}

fn network(text: &str) -> Result<IpNet, InvalidSources> {
    let told = text.trim();
    let one = |address: IpAddr| IpNet::from(address.to_canonical());
    let parsed = told.parse().map(one).ok().or_else(|| told.parse().ok());
    // A network of mapped addresses would fit nobody: what comes from there is IPv4 to us. And one with a part of a host
    // is a slip of the pen, in one of two directions.
    let is_mapped =
        |network: &IpNet| matches!(network.addr(), IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    let is_plain = |network: &IpNet| !is_mapped(network) && *network == network.trunc();
    parsed.filter(is_plain).ok_or_else(|| InvalidSources::Network(text.to_owned()))
}

/// Where a request came from: from the other end of its connection, or from where the outermost of so many proxies of ours
/// says. Each of them writes down behind the others whom it was called by, so that they are counted from the right: what
/// stands left of them is what the sender wrote himself.
pub(crate) fn source(headers: &HeaderMap, peer: Option<SocketAddr>, proxies: usize) -> Option<IpAddr> {
    let Some(further) = proxies.checked_sub(1) else { return peer.map(|peer| peer.ip().to_canonical()) };
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let mut entries = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    address(str::from_utf8(entries.nth(further)?).ok()?.trim())
}

/// `192.0.2.7`, `192.0.2.7:80`, `2001:db8::7`, `[2001:db8::7]` or `[2001:db8::7]:80`.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let alone = match bare {
        Some(inner) => inner.parse().ok().map(IpAddr::V6),
        None => entry.parse().ok(),
    };
    let address = alone.or_else(|| entry.parse().ok().map(|with_port: SocketAddr| with_port.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::source;

    const PEER: &str = "203.0.113.1:9000";

    /// The source of a request by so many proxies with these lines of the header.
    fn read(proxies: usize, lines: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
        }
        source(&headers, PEER.parse().ok(), proxies).map(|address| address.to_string())
    }

    #[test]
    fn entries_are_read_as_proxies_write_them() {
        for (entry, address) in [
            ("192.0.2.7", Some("192.0.2.7")),
            (" \t192.0.2.7 ", Some("192.0.2.7")),
            ("192.0.2.7:80", Some("192.0.2.7")),
            ("192.0.2.7:65535", Some("192.0.2.7")),
            ("192.0.2.7:65536", None),
            ("192.0.2.7:", None),
            ("192.0.2.7:80:80", None),
            ("192.0.2.07", None),
            ("192.0.2", None),
            ("192.0.2.7/32", None),
            ("192.0.2.7 192.0.2.8", None),
            ("192.0.2.7;192.0.2.8", None),
            ("[192.0.2.7]", None),
            ("[192.0.2.7]:80", None),
            ("2001:db8::7", Some("2001:db8::7")),
            ("2001:DB8:0:0::0007", Some("2001:db8::7")),
            ("[2001:db8::7]", Some("2001:db8::7")),
            ("[2001:db8::7]:80", Some("2001:db8::7")),
            ("[2001:db8::7", None),
            ("2001:db8::7]", None),
            ("[2001:db8::7]80", None),
            ("[[2001:db8::7]]", None),
            ("::ffff:192.0.2.7", Some("192.0.2.7")),
            ("[::ffff:192.0.2.7]", Some("192.0.2.7")),
            ("[::ffff:c000:207]:80", Some("192.0.2.7")),
            ("::192.0.2.7", Some("::c000:207")),
            ("", None),
            (" ", None),
            ("unknown", None),
            ("_hidden", None),
            ("localhost", None),
            ("\"192.0.2.7\"", None),
            ("for=192.0.2.7", None),
        ] {
            assert_eq!(read(1, &[entry.as_bytes()]).as_deref(), address, "{entry:?}");
            let behind_another = format!("198.51.100.1,{entry}");
            assert_eq!(read(1, &[behind_another.as_bytes()]).as_deref(), address, "{entry:?}");
        }
    }

    #[test]
    fn they_are_counted_from_the_right_over_all_lines() {
        let (one, two) =
            (&[b"192.0.2.1, 192.0.2.2" as &[u8]][..], &[b"192.0.2.1, 192.0.2.2" as &[u8], b"192.0.2.3"][..]);
        let hostile = &[b"192.0.2.1,\xff,,\x80" as &[u8], b"192.0.2.2"][..];
        for (proxies, lines, address) in [
            (1, &[][..], None),
            (2, &[], None),
            (1, one, Some("192.0.2.2")),
            (2, one, Some("192.0.2.1")),
            (3, one, None),
            (usize::MAX, one, None),
            (1, two, Some("192.0.2.3")),
            (2, two, Some("192.0.2.2")),
            (3, two, Some("192.0.2.1")),
            (4, two, None),
            (1, hostile, Some("192.0.2.2")),
            (2, hostile, None),
            (3, hostile, None),
            (4, hostile, None),
            (5, hostile, Some("192.0.2.1")),
        ] {
            assert_eq!(read(proxies, lines).as_deref(), address, "{proxies} {lines:?}");
        }
    }

    #[test]
    fn without_a_proxy_it_is_the_other_end_and_no_header() {
        assert_eq!(read(0, &[b"192.0.2.1"]).as_deref(), Some("203.0.113.1"));
        let mapped = source(&HeaderMap::new(), "[::ffff:192.0.2.7]:80".parse().ok(), 0);
        assert_eq!(mapped.map(|address| address.to_string()).as_deref(), Some("192.0.2.7"));
        assert_eq!(source(&HeaderMap::new(), None, 0), None);
    }
}
