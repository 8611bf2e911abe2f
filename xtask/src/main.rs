//! The one way to run every check of this repository.

fn main() {}
