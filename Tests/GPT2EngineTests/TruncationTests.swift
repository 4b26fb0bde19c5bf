import GPT2Engine
import GPT2Kernels
import Testing

/// A sequence that was cut goes on as if what was cut off had never been there.
@Suite struct TruncationTests {
  @Test(arguments: Variant.all) func aCutSequenceGoesOnAsBefore(variant: Variant) throws {
    let model = try Fixtures.ragged.get()
    let engine = try Engine(model, variant: variant, threads: 2)
    let ids = Fixtures.ids(40, of: model)
    let straight = try engine.makeSequence()
    try straight.append(Array(ids[..<17]))
    _ = try engine.step([straight])
    try straight.append([5])
    let expected = try engine.rows([straight])[0]

    let cut = try engine.makeSequence()
    try cut.append(ids)
    _ = try engine.step([cut])
    cut.truncate(to: 17)
    #expect(cut.tokens == Array(ids[..<17]))
    try cut.append([5])
    let found = try engine.rows([cut])[0]
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-4 * max(1, abs(b))) }
    cut.truncate(to: 0)
    #expect(cut.tokens.isEmpty && cut.room == model.configuration.context)
  }
}
