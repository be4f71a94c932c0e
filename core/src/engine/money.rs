//! Questions about money: revenue, movements, lifetime value.

use super::Engine;

impl Engine {}
