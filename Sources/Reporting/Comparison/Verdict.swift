/// What a comparison says of one row.
enum Verdict: String, Codable, Sendable, CaseIterable {
  case regressed, failed, inconclusive, improved, unchanged
}
