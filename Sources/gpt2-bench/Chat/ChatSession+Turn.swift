import CSystem
import GPT2Engine
import GPT2Model

extension ChatSession {
  /// Adds a line to the text and lets the model go on with it.
  func turn(_ line: String) throws {
    // In a dialogue a speaker who says nothing does not speak.
    if mode == .dialogue, !line.contains(where: { !$0.isWhitespace }) { return }
    let start = ContinuousClock.now
    let ids = try prompt(line)
    let addition = try conversation.append(ids)
    if addition.cut > 0 {
      display.remark(
        "\(ids.count) tokens are more than the context holds: the first \(addition.cut) are left out")
    }
    var figures = TurnFigures(promptCount: ids.count, start: start)
    figures.dropped = addition.dropped + addition.cut
    turnCount += 1
    _ = csystem_interrupts_take()
    display.begin(status(figures))
    // Also where an error ends it: what was said stays, and so does its line.
    defer {
      droppedCount += figures.dropped
      lastTurn = figures
      display.end(status(figures))
    }
    try answer(&figures)
  }

  /// The ids that a line adds to the text; the text's beginning where there is neither.
  private func prompt(_ line: String) throws -> [Int] {
    guard let tokenizer = model.tokenizer else {
      let ids = try model.ids(line)
      if ids.isEmpty, conversation.tokens.isEmpty { throw EngineError.emptyPrompt }
      return ids
    }
    let tokens = conversation.tokens
    let added = try settings.framing.added(line, mode: mode) { try model.text(of: tokens, endsWith: $0) }
    if added.isEmpty, tokens.isEmpty {
      guard let endOfText = tokenizer.endOfText else { throw EngineError.emptyPrompt }
      return [endOfText]
    }
    return try tokenizer.encode(added)
  }

  private func answer(_ figures: inout TurnFigures) throws {
    let stops = try StopSequences(settings.framing.stops(mode: mode) + settings.stops.texts)
    var answer = ChatAnswer(model.tokenizer, stops, trimsStart: mode == .dialogue)
    for _ in 0..<settings.maximumNewTokens {
      let token = try conversation.next(&sampler)
      if token == model.tokenizer?.endOfText {
        figures.ending = "end of text"
        break
      }
      let piece = try answer.add(token)
      figures.dropped += try conversation.append([token]).dropped
      figures.addToken()
      display.write(piece, status(figures))
      if answer.stop != nil {
        try takeBackStop(of: answer)
        break
      }
      if csystem_interrupts_take() != 0 {
        figures.ending = "interrupted"
        break
      }
      if StandardStream.failure != nil { break }
    }
    display.write(answer.finish(), status(figures))
  }

  /// A stop sequence is no part of the text, so the tokens that hold any of it go, and what they held before it is added
  /// again.
  private func takeBackStop(of answer: ChatAnswer) throws {
    guard let tokenizer = model.tokenizer else { return }
    let kept = try answer.keptTokens(tokenizer)
    conversation.removeLast(min(answer.tokens.count - kept.count, conversation.tokens.count))
    if !kept.rest.isEmpty { try conversation.append(tokenizer.encode(kept.rest)) }
  }

  private func status(_ figures: TurnFigures) -> String {
    figures.line(used: conversation.tokens.count, of: conversation.context)
  }
}
