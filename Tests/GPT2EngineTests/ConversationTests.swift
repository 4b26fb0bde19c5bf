import GPT2Kernels
import TestSupport
import Testing

@testable import GPT2Engine

struct ConversationTests {
  /// Twelve positions.
  private func conversation(_ variant: Variant = .preferred) throws -> Conversation {
    try Conversation(try Engine(Fixtures.small.get(), variant: variant, threads: 1))
  }

  private func ids(_ count: Int) throws -> [Int] { Fixtures.ids(count, of: try Fixtures.small.get()) }

  /// The greedy tokens that go on with a conversation, which slides as often as it must.
  private func greedy(_ conversation: Conversation, count: Int) throws -> [Int] {
    var sampler = Sampler(.greedy)
    return try (0..<count).map { _ in
      let token = try conversation.next(&sampler)
      try conversation.append([token])
      return token
    }
  }

  /// In turns, with what is kept, and all at once: the same tokens.
  @Test(arguments: Variant.all)
  func turnsGoOnWhereTheLastOneEnded(_ variant: Variant) throws {
    let parts: [Int] = try ids(5)
    let turns = try conversation(variant)
    try turns.append(Array(parts[..<3]))
    let first = try greedy(turns, count: 2)
    try turns.append(Array(parts[3...]))
    let second = try greedy(turns, count: 3)
    let whole = try conversation(variant)
    let before: [Int] = Array(parts[..<3]) + first
    let prompt: [Int] = before + Array(parts[3...])
    try whole.append(prompt)
    try expectEqual(greedy(whole, count: 3), second)
    expectEqual(turns.tokens, prompt + second)
  }

  /// What goes on after a slide is what a fresh engine makes of the window that was kept.
  @Test(arguments: Variant.all)
  func afterASlideTokensAreThoseOfAFreshRunOverTheWindow(_ variant: Variant) throws {
    let sliding = try conversation(variant)
    try sliding.append(try ids(10))
    var sampler = Sampler(.greedy)
    var slides = 0
    for _ in 0..<30 {
      let fresh = try conversation(variant)
      try fresh.append(sliding.tokens)
      let token = try sliding.next(&sampler)
      try expectEqual(fresh.next(&sampler), token)
      let before = sliding.tokens
      let addition = try sliding.append([token])
      if addition.dropped > 0 {
        slides += 1
        expectEqual(before.count, 12)
        expectEqual(addition, .init(dropped: 7, cut: 0))
        expectEqual(sliding.tokens, before.suffix(5) + [token])
      }
    }
    // Of the third token, and of each seventh after it.
    expectEqual(slides, 4)
  }

  @Test func whatATurnAddsIsKeptWhereItFits() throws {
    let conversation = try conversation()
    let ids = try ids(40)
    try conversation.append(Array(ids[..<4]))
    try expectEqual(conversation.append(Array(ids[4..<14])), .init(dropped: 4, cut: 0))
    expectEqual(conversation.tokens, Array(ids[4..<14]))
    try expectEqual(conversation.append(Array(ids[14..<17])), .init(dropped: 7, cut: 0))
    expectEqual(conversation.tokens, Array(ids[11..<17]))
    try expectEqual(conversation.append(Array(ids[17..<40])), .init(dropped: 6, cut: 11))
    expectEqual(conversation.tokens, Array(ids[28..<40]))
    // A full context still gives a token.
    try expectEqual(greedy(conversation, count: 2).count, 2)
  }

  @Test(arguments: [Variant.oracle, .preferred])
  func whatIsTakenBackWasNeverThere(_ variant: Variant) throws {
    let conversation = try conversation(variant)
    let ids = try ids(6)
    try conversation.append(ids)
    let expected = try greedy(conversation, count: 1)
    _ = try greedy(conversation, count: 2)
    conversation.removeLast(3)
    expectEqual(conversation.tokens, ids)
    // Nothing is new in it, and it goes on all the same.
    try expectEqual(greedy(conversation, count: 1), expected)
    conversation.clear()
    #expect(conversation.tokens.isEmpty)
    #expect(throws: EngineError.emptyPrompt) { try greedy(conversation, count: 1) }
  }

  @Test(arguments: [2, 20]) func aStrangeTokenIsRefusedAndChangesNothing(_ count: Int) throws {
    let conversation = try conversation()
    try conversation.append([1, 2, 3])
    #expect(throws: EngineError.tokenOutsideVocabulary(id: 23, vocabulary: 23)) {
      try conversation.append([Int](repeating: 1, count: count - 1) + [23])
    }
    expectEqual(conversation.tokens, [1, 2, 3])
  }
}
