use std::net::SocketAddr;

/// Who is at the other end of a request's connection, as an extension of the request. `serve` and the router put it there
/// themselves; a server of your own inserts it, where an account has a list of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);
