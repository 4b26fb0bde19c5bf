import Record

/// Asks a worker where its time goes, with the loaded model.
struct ProfileRequest: Codable {
  /// The prompt's ids: its pass is the prefill, and decoding goes on behind it.
  let promptTokens: [Int]
  /// Tokens to decode, the prompt's own first token among them; 1 for the prefill alone.
  let newTokens: Int
  /// Run every pass a second time without probes, to tell what they cost.
  let measuresOverhead: Bool
  /// Decode all of them whatever it takes, or else as many as a second allows.
  let coversAllPositions: Bool
}

struct ProfileAnswer: Codable {
  /// Prefill, then decode where more than one token was asked for.
  let profiles: [Profile]
}
