import Testing

@testable import GPT2Engine

@Suite struct TokenWindowsTests {
  /// All windows of a text whose tokens are their own positions, given in pieces of one size.
  private func windows(
    _ tokens: Int, context: Int, stride: Int, wholeOnly: Bool = false, piece: Int = .max
  ) -> [TokenWindow] {
    var windows = TokenWindows(context: context, stride: stride, wholeOnly: wholeOnly)
    var found: [TokenWindow] = []
    var next = 0
    while next < tokens {
      let end = min(next + min(piece, tokens), tokens)
      windows.append(next..<end)
      next = end
      while let window = windows.next() { found.append(window) }
    }
    windows.finish()
    while let window = windows.next() { found.append(window) }
    #expect(windows.next() == nil)
    return found
  }

  @Test(arguments: [(1, 1), (2, 1), (2, 2), (5, 2), (5, 5), (8, 3), (8, 8)])
  func everyTokenButTheFirstIsScoredOnce(_ context: Int, _ stride: Int) {
    for tokens in 0...40 {
      let found = windows(tokens, context: context, stride: stride)
      #expect(found.flatMap(\.targets) == Array(1..<max(tokens, 1)))
      for window in found {
        #expect(window.inputs.count <= context && window.targets.count <= window.inputs.count)
        // Consecutive, and the last target follows the last input.
        #expect(window.inputs == Array(window.inputs[0]..<window.inputs[0] + window.inputs.count))
        #expect(window.targets.last == window.inputs[window.inputs.count - 1] + 1)
      }
      for window in found.dropFirst() {
        #expect(window.targets[0] - window.inputs[0] >= context - stride + 1)
      }
    }
  }

  @Test func windowsBeginAtMultiplesOfTheStride() {
    let found = windows(11, context: 4, stride: 3)
    #expect(
      found == [
        TokenWindow(inputs: [0, 1, 2, 3], targets: [1, 2, 3, 4]),
        TokenWindow(inputs: [3, 4, 5, 6], targets: [5, 6, 7]),
        TokenWindow(inputs: [6, 7, 8, 9], targets: [8, 9, 10]),
      ])
  }

  /// As scripts/train_tiny.py cuts its validation text.
  @Test func wholeAdjacentWindowsAreThoseOfTheTraining() {
    for tokens in 0...40 {
      let count = max(tokens - 1, 0) / 6
      let expected = (0..<count).map {
        TokenWindow(inputs: Array(6 * $0..<6 * $0 + 6), targets: Array(6 * $0 + 1..<6 * $0 + 7))
      }
      #expect(windows(tokens, context: 6, stride: 6, wholeOnly: true) == expected)
    }
  }

  @Test func theTailIsAWindowOfItsOwn() {
    #expect(windows(9, context: 6, stride: 6).last == TokenWindow(inputs: [6, 7], targets: [7, 8]))
    #expect(windows(9, context: 6, stride: 3).last == TokenWindow(inputs: [3, 4, 5, 6, 7], targets: [7, 8]))
    #expect(windows(3, context: 6, stride: 3) == [TokenWindow(inputs: [0, 1], targets: [1, 2])])
  }

  @Test(arguments: [1, 2, 5, 7])
  func thePiecesThatATextComesInDoNotMatter(_ piece: Int) {
    for tokens in 0...30 {
      for (context, stride) in [(5, 2), (4, 4)] {
        let expected = windows(tokens, context: context, stride: stride)
        #expect(windows(tokens, context: context, stride: stride, piece: piece) == expected)
      }
    }
  }
}
