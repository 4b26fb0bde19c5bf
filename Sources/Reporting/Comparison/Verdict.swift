/// What a comparison says of one row.
enum Verdict: String, Codable, Sendable, CaseIterable {
  case regressed, failed, inconclusive, improved, unchanged

  /// Whether it claims that the head differs from the base.
  var isChange: Bool { self == .regressed || self == .improved }
}
