import Testing

@testable import gpt2_bench

@Suite struct MatmulShapeTests {
  @Test func rowsAreOneAndSixtyFourWhereNoneAreGiven() throws {
    #expect(
      try Matmul.shapes("768x3072")
        == [.matmul(m: 1, k: 768, n: 3072), .matmul(m: 64, k: 768, n: 3072)])
  }

  @Test func threeSizesAreRowsInputsOutputs() throws {
    #expect(try Matmul.shapes("64x768x3072") == [.matmul(m: 64, k: 768, n: 3072)])
    #expect(try Matmul.shapes("64x768x3072").map(\.name) == ["64x768x3072"])
    #expect(
      try Matmul.shapes("1x1") == [
        .matmul(m: 1, k: 1, n: 1), .matmul(m: 64, k: 1, n: 1),
      ])
  }

  @Test func repeatsAreDropped() throws {
    #expect(
      try Matmul.shapes("64x7x9,7x9,1x7x9,3x7x9").map(\.name) == ["64x7x9", "1x7x9", "3x7x9"])
  }

  @Test(
    arguments: [
      "768x", "x", "0x5", "5x0", "-1x5", "axb", "a x b", "7 x 9", "", "768", "1x2x3x4", "7X9", "1.5x2",
      "7x9,",
      "1048577x1", "9223372036854775808x1", "7x9,768x",
    ])
  func malformedSizesNameThemselves(_ text: String) throws {
    let part = text.split(separator: ",", omittingEmptySubsequences: false).last ?? ""
    let error = try #require(throws: UsageError.self) { try Matmul.shapes(text) }
    #expect(
      error.description
        == "--size: found '\(part)', expected [Mx]KxN with sizes from 1 to 1048576, for example 768x3072 or "
        + "64x768x3072")
  }
}
