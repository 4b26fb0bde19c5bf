import GPT2Model

/// Sees on the way of a scan whether all values are finite: x − x is 0 of a finite number and NaN of any other. It
/// waits for nothing that the scan does not wait for anyway.
struct FiniteWatch {
  private var differences = SIMD16<Float>.zero

  @inline(__always) mutating func see(_ values: SIMD16<Float>) { differences += values - values }
  @inline(__always) mutating func see(_ value: Float) { differences[0] += value - value }

  var sawOnlyFinite: Bool { all(differences .== differences) }
}

/// The token with the largest logit, the lowest id among equals.
/// - Parameters:
///   - logits: (vocabulary), not empty.
///   - position: of the token whose logits they are, for the error.
/// - Throws: `EngineError.nonFiniteLogit`.
public func argmax(_ logits: UnsafeBufferPointer<Float>, position: Int) throws(EngineError) -> Int {
  precondition(!logits.isEmpty, "a choice from no logits")
  let block = 512
  let whole = logits.count / block * block
  var watch = FiniteWatch()
  var (best, largest) = (0, -Float.infinity)
  func search(_ ids: Range<Int>) {
    for id in ids where logits[id] > largest { (best, largest) = (id, logits[id]) }
  }
  for start in stride(from: 0, to: whole, by: block) {
    var maxima = SIMD16<Float>(repeating: -.infinity)
    for offset in stride(from: 0, to: block, by: 16) {
      let some = UnsafeRawPointer(logits.baseAddress! + start + offset).loadUnaligned(as: SIMD16<Float>.self)
      maxima.replace(with: some, where: some .> maxima)
      watch.see(some)
    }
    if maxima.max() > largest { search(start..<start + block) }
  }
  for id in whole..<logits.count { watch.see(logits[id]) }
  search(whole..<logits.count)
  try EngineError.unless(watch.sawOnlyFinite, logits, position: position)
  return best
}

extension EngineError {
  /// Throws what names the first logit that is not finite.
  /// - Parameter areFinite: what a scan of them has shown.
  static func unless(
    _ areFinite: Bool, _ logits: UnsafeBufferPointer<Float>, position: Int
  ) throws(EngineError) {
    guard !areFinite, let token = logits.firstIndex(where: { !$0.isFinite }) else { return }
    // A NaN's sign means nothing.
    let found = logits[token].isNaN ? "nan" : "\(logits[token])"
    throw .nonFiniteLogit(position: position, token: token, found: found)
  }
}

extension NPY {
  /// The token with the largest logit in a row, whose number is its position.
  func argmax(ofRow row: Int) throws(EngineError) -> Int {
    try self.row(row).withUnsafeBufferPointer { logits throws(EngineError) in
      try GPT2Engine.argmax(logits, position: row)
    }
  }

  /// Holds logits that are handed over as they are, and not chosen from.
  /// - Parameter first: the position of the first row.
  /// - Throws: `EngineError.nonFiniteLogit`.
  public func checkFinite(from first: Int = 0) throws(EngineError) {
    guard let place = values.firstIndex(where: { !$0.isFinite }) else { return }
    let row = place / columns
    try values.withUnsafeBufferPointer { values throws(EngineError) in
      let logits = UnsafeBufferPointer(rebasing: values[row * columns..<(row + 1) * columns])
      try EngineError.unless(false, logits, position: first + row)
    }
  }
}

/// Logits that are not finite are what a check has found, not its end: a failure is always `nonFiniteLogit`.
func finding<Value>(
  _ body: () throws(EngineError) -> Value
) throws(EngineError) -> Result<Value, EngineError> {
  do { return .success(try body()) } catch {
    guard case .nonFiniteLogit = error else { throw error }
    return .failure(error)
  }
}
