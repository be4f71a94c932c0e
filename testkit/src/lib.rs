//! What healthfold's tests, benches and demo share: a seeded book of a believable business, a naive oracle written
//! straight from the contract, strategies for random logs, and the runner of conformance cases.

pub mod book;
pub mod logs;
pub mod oracle;
