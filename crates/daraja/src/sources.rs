/// Addresses that Safaricom's callbacks are said to come from, for a receiver's list of sources.
///
/// As public lists and client libraries had them on 2026-11-22. Safaricom's own pages that we have name none, and nobody
/// has confirmed them on a live wire: begin with a list that reports. Some lists add `196.201.212.128`,
/// `196.201.212.132` and `196.201.214.212`.
pub const CALLBACK_SOURCES: &[&str] = &[
    "196.201.212.69",
    "196.201.212.74",
    "196.201.212.127",
    "196.201.212.129",
    "196.201.212.136",
    "196.201.212.138",
    "196.201.213.44",
    "196.201.213.114",
    "196.201.214.200",
    "196.201.214.206",
    "196.201.214.207",
    "196.201.214.208",
];
