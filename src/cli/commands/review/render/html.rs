//! The page as one HTML file.

use super::order::Sheet;

/// The page and the annex.
pub fn html(_sheet: &Sheet) -> String {
    String::new()
}
