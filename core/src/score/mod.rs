//! x
/// placeholder until the model lands
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("x")]
pub struct ModelError {}
