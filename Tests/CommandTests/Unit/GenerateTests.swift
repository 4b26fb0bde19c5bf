import Testing

@testable import gpt2_bench

@Suite struct GenerateTests {
  private func comparison(_ outputs: [(String, [Int])], isDrawn: Bool = false) -> IDComparison {
    IDComparison(
      outputs.map { name, ids in
        VariantOutput(variant: name, weights: name == "int8" ? "int8" : "f32", ids: ids)
      }, isDrawn: isDrawn)
  }

  @Test func equalIDsAreSaidToBeEqual() {
    let equal = comparison([("naive", [1, 2]), ("packed", [1, 2])])
    #expect(equal.lines == ["packed: ids equal to naive's"] && !equal.hasFailed)
    let alone = comparison([("naive", [1])])
    #expect(alone.lines == ["naive: no other variant to compare its ids with"] && !alone.hasFailed)
  }

  @Test func otherIDsFailWhereTheyMustBeEqual() {
    let parted = comparison([("naive", [1, 2, 3]), ("simd8", [1, 2, 3]), ("packed", [1, 4, 3])])
    #expect(parted.lines == ["simd8: ids equal to naive's", "packed: ids part from naive's at new token 2"])
    #expect(parted.hasFailed)
    #expect(
      comparison([("naive", [1, 2]), ("packed", [1])]).lines.last?.hasSuffix("at new token 2") == true)
    // Other weights may choose otherwise, and so may a draw.
    #expect(!comparison([("naive", [1, 2]), ("int8", [1, 3])]).hasFailed)
    let drawn = comparison([("naive", [1, 2]), ("packed", [2, 2])], isDrawn: true)
    #expect(!drawn.hasFailed)
    #expect(drawn.lines.last?.contains("ids may part") == true)
  }
}
