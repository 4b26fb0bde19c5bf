import Foundation

/// How well a model predicts a text, summed over the tokens scored so far.
public struct TextScore: Equatable, Sendable {
  public private(set) var tokens = 0
  /// Σ −log p(token), natural logarithm.
  public private(set) var nats = 0.0

  public init() {}

  public mutating func add(nats: Double, tokens: Int) {
    self.nats += nats
    self.tokens += tokens
  }

  /// The mean cross-entropy; nil before anything was scored.
  public var natsPerToken: Double? { tokens > 0 ? nats / Double(tokens) : nil }

  /// exp(nats per token)
  public var perplexity: Double? { natsPerToken.map(exp) }

  /// - Parameter bytes: what the scored tokens stand for in UTF-8.
  public func bitsPerByte(bytes: Int) -> Double? { bytes > 0 ? nats / log(2) / Double(bytes) : nil }
}

extension Engine {
  /// Σ −log p(target) of a window's targets, in nats.
  /// - Parameter sequence: of this engine; what it holds is forgotten.
  /// - Throws: `EngineError.nonFiniteLogit` with the position in the window.
  public func nats(of window: TokenWindow, in sequence: TokenSequence) throws(EngineError) -> Double {
    sequence.reset()
    try sequence.append(window.inputs)
    var nats = 0.0
    try stepThroughPositions(of: sequence, from: window.firstScored) { position, logits throws(EngineError) in
      nats += try negativeLogLikelihood(
        of: window.targets[position - window.firstScored], logits, position: position)
    }
    return nats
  }
}

/// Cuts a text's tokens into the windows over which its perplexity is taken. Window k takes in `context` tokens from
/// token `k · stride` on and predicts the one after each of them; of these it scores those that no window before it
/// predicted. So every token but the first is scored once, and after the first window each has at least
/// `context − stride + 1` tokens before it. Where the text ends inside a window, that window is shorter.
///
/// With `stride` = `context` each window begins with the last token that the one before it predicted. Hugging Face's
/// "Perplexity of fixed-length models" (https://huggingface.co/docs/transformers/perplexity) counts a window's last
/// target among its tokens, so a window of n tokens there is a context of n − 1 here. Tokens may come in pieces of any
/// size; no more than a window and the last piece are kept.
public struct TokenWindows: Sendable {
  public let context: Int
  public let stride: Int
  public let wholeOnly: Bool

  /// From the next window's first token on.
  private var pending: [Int] = []
  /// The text's position of the first of them.
  private var begin = 0
  /// The text's position after the last token that was scored; the first token cannot be.
  private var scoredEnd = 1
  private var isFinished = false

  /// - Parameters:
  ///   - context: tokens that a window takes in, at least 1.
  ///   - stride: tokens between the beginnings of two windows, 1 to `context`.
  ///   - wholeOnly: leaves out the shorter window at the end.
  public init(context: Int, stride: Int, wholeOnly: Bool = false) {
    precondition(context >= 1 && (1...context).contains(stride))
    (self.context, self.stride, self.wholeOnly) = (context, stride, wholeOnly)
  }

  public mutating func append(_ ids: some Sequence<Int>) {
    precondition(!isFinished, "tokens after the end of a text")
    pending.append(contentsOf: ids)
  }

  public mutating func finish() { isFinished = true }

  /// The next window; nil where it takes more tokens to make it, or where the text has no further one.
  public mutating func next() -> TokenWindow? {
    let isWhole = pending.count > context
    guard isWhole || (isFinished && !wholeOnly) else { return nil }
    let count = min(context + 1, pending.count)
    let end = begin + count
    guard end > scoredEnd else { return nil }
    let window = TokenWindow(
      inputs: Array(pending[..<(count - 1)]), targets: Array(pending[(scoredEnd - begin)..<count]))
    scoredEnd = end
    if isWhole {
      pending.removeFirst(stride)
      begin += stride
    }
    return window
  }
}

/// Some consecutive tokens of a text, and what is to be predicted after the last of them.
public struct TokenWindow: Equatable, Sendable {
  /// Tokens to take in, from position 0.
  public let inputs: [Int]
  /// The tokens that follow the last `targets.count` inputs, one each.
  public let targets: [Int]

  /// The first input after which a prediction is scored.
  var firstScored: Int { inputs.count - targets.count }
}

/// −log softmax(logits)[token] in nats: log Σᵢ exp(lᵢ − max) − (l_token − max), in double, so that the sum of fifty
/// thousand probabilities is exact to what is printed.
/// - Parameter logits: (vocabulary)
/// - Returns: at least 0.
/// - Throws: `EngineError.nonFiniteLogit`.
func negativeLogLikelihood(
  of token: Int, _ logits: UnsafeBufferPointer<Float>, position: Int
) throws(EngineError) -> Double {
  let shift = Double(logits[try argmax(logits, position: position)])
  return log(sumOfExponentials(logits, shift: shift)) - (Double(logits[token]) - shift)
}

/// Σᵢ exp(lᵢ − shift)
/// - Parameter shift: the largest logit.
func sumOfExponentials(_ logits: UnsafeBufferPointer<Float>, shift: Double) -> Double {
  let whole = logits.count & ~7
  var sums = SIMD8<Double>.zero
  for start in stride(from: 0, to: whole, by: 8) {
    sums += exponential(SIMD8<Double>(eight(logits, start)) - shift)
  }
  return logits[whole...].reduce(sums.sum()) { $0 + exp(Double($1) - shift) }
}

@inline(__always)
private func eight(_ logits: UnsafeBufferPointer<Float>, _ start: Int) -> SIMD8<Float> {
  UnsafeRawPointer(logits.baseAddress! + start).loadUnaligned(as: SIMD8<Float>.self)
}

/// exp(x) for x ≤ 0, within a few units in the last place; what is below −700 counts as −700. x = n · ln 2 + r with
/// |r| ≤ ½ ln 2, and exp(r) by its Taylor series up to r¹³, whose rest is below 2⁻⁵⁴. It is needed for every logit of
/// every token, and one at a time the library takes four times as long.
@inline(__always)
private func exponential(_ x: SIMD8<Double>) -> SIMD8<Double> {
  let bounded = x.replacing(with: -700, where: x .< -700)
  // Added to a number, it leaves that number's nearest whole one in the low bits.
  let magic = 0x1.8p52
  let rounded = bounded * 1.442_695_040_888_963_4 + magic
  let n = rounded - magic
  // ln 2 in two parts, the first short enough for n times it to be exact.
  let r = bounded - n * 0x1.62e42fee00000p-1 - n * 0x1.a39ef35793c76p-33
  var series = SIMD8<Double>(repeating: 1 / 6_227_020_800)
  series = series * r + 1 / 479_001_600
  series = series * r + 1 / 39_916_800
  series = series * r + 1 / 3_628_800
  series = series * r + 1 / 362_880
  series = series * r + 1 / 40_320
  series = series * r + 1 / 5_040
  series = series * r + 1 / 720
  series = series * r + 1 / 120
  series = series * r + 1 / 24
  series = series * r + 1 / 6
  series = series * r + 1 / 2
  series = series * r + 1
  series = series * r + 1
  let power = (unsafeBitCast(rounded, to: SIMD8<Int64>.self) &<< 52) &+ Int64(bitPattern: 1.0.bitPattern)
  return series * unsafeBitCast(power, to: SIMD8<Double>.self)
}
