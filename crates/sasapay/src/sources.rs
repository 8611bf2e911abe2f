/// Addresses that SasaPay's callbacks are said to come from, for a receiver's list of sources.
///
/// As copies of a newer page about the security of callbacks and client libraries had them on 2026-11-22. Nobody has
/// confirmed them on a live wire: begin with a list that reports. One copy adds `41.90.137.105`.
pub const CALLBACK_SOURCES: &[&str] = &[
    "13.214.60.231",
    "13.215.155.141",
    "13.229.247.179",
    "13.250.110.3",
    "18.142.226.87",
    "47.129.43.141",
    "47.129.243.116",
    "54.169.74.198",
    "155.12.30.40",
    "155.12.30.58",
];
