//! What healthfold's tests, benches and demo share: a seeded book of a believable business, a naive oracle written
//! straight from the contract, strategies for random logs, the runner of conformance cases, and what is generated.

pub mod book;
pub mod case;
pub mod codegen;
pub mod hostile;
pub mod logs;
pub mod oracle;
pub mod seeds;
pub mod simulator;
