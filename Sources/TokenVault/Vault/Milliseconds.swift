extension Duration {
    /// Rounded up: a wait must not end before its time.
    var milliseconds: Int64 {
        let (whole, atto) = components
        return whole * 1000 + (atto + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
