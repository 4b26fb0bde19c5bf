/// Cuts a text's tokens into the windows over which its perplexity is taken.
///
/// Window k takes in `context` tokens from token `k · stride` on and predicts the one behind each of them; of these
/// it scores those that no window before it predicted. So every token of the text but the first is scored once, and
/// behind the first window each has at least `context − stride + 1` tokens before it. Where the text ends inside a
/// window, that window is shorter.
///
/// With `stride` = `context` the windows are adjacent: each begins with the last token that the one before it
/// predicted. Hugging Face's "Perplexity of fixed-length models"
/// (https://huggingface.co/docs/transformers/perplexity) counts a window's last target among its tokens, so a
/// window of n tokens there is a context of n − 1 here.
///
/// The tokens may come in pieces of any size; no more than a window and the last piece are kept.
public struct TokenWindows: Sendable {
  public let context: Int
  public let stride: Int
  public let wholeOnly: Bool

  /// From the next window's first token on.
  private var pending: [Int] = []
  /// The text's position of the first of them.
  private var begin = 0
  /// The text's position behind the last token that was scored; the first token cannot be.
  private var scoredEnd = 1
  private var isFinished = false

  /// - Parameters:
  ///   - context: tokens that a window takes in, at least 1.
  ///   - stride: tokens between the beginnings of two windows, 1 to `context`.
  ///   - wholeOnly: leaves out the shorter window at the end.
  public init(context: Int, stride: Int, wholeOnly: Bool = false) {
    precondition(context >= 1 && (1...context).contains(stride))
    self.context = context
    self.stride = stride
    self.wholeOnly = wholeOnly
  }

  /// Adds the text's next tokens.
  public mutating func append(_ ids: some Sequence<Int>) {
    precondition(!isFinished, "tokens behind the end of a text")
    pending.append(contentsOf: ids)
  }

  /// Says that the text ends here.
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

/// Some consecutive tokens of a text, and what is to be predicted behind the last of them.
public struct TokenWindow: Equatable, Sendable {
  /// Tokens to take in, from position 0.
  public let inputs: [Int]
  /// The tokens that follow the last `targets.count` inputs, one each.
  public let targets: [Int]

  /// The first input behind which a prediction is scored.
  var firstScored: Int { inputs.count - targets.count }
}
