import GPT2Kernels
import Testing

@testable import GPT2Engine

@Suite struct WeightRotationTests {
  private let page = 4096 / 4

  private func places(_ rotation: WeightRotation, count: Int, turns: Int) throws -> [Int] {
    let base = try #require(rotation.weights(turn: 0, count: 1))
    return try (0..<turns).map { try #require(rotation.weights(turn: $0, count: count)) - base }
  }

  @Test func turnsGoThroughAllOfTheMemoryAndBeginAgain() throws {
    let rotation = try WeightRotation(bytes: 10 * 4096)
    #expect(rotation.bytes == 40_960)
    #expect(try places(rotation, count: 2 * page, turns: 6) == [0, 2, 4, 6, 8, 0].map { $0 * page })
    // What does not divide the memory ends with its last page all the same.
    #expect(try places(rotation, count: 4 * page, turns: 4) == [0, 4, 6, 0].map { $0 * page })
    #expect(try places(rotation, count: 3 * page - 5, turns: 5) == [0, 3, 6, 7, 0].map { $0 * page })
    #expect(try places(rotation, count: 10 * page, turns: 2) == [0, 0])
    #expect(rotation.weights(turn: 0, count: 10 * page + 1) == nil)
  }

  @Test func itsNumbersAreOrdinaryOnes() throws {
    let count = (1 << 20) + 5
    let rotation = try WeightRotation(bytes: 4 * count)
    let base = try #require(rotation.weights(turn: 0, count: count))
    let values = UnsafeBufferPointer(start: base, count: count)
    #expect(values.allSatisfy { abs($0) <= 1 && ($0.isNormal || $0 == 0) })
    #expect(Set(values.prefix(1000)).count > 900)
  }

  /// A matrix of the rotation's is worked on like the problem's own, and leaves that alone.
  @Test func aTurnOfTheRotationIsAProductOfItsOwn() throws {
    let kernel = Variant.oracle.kernel(threads: 1)
    let problem = try LinearProblem(m: 2, n: 3, k: 5, kernel: kernel)
    let rotation = try WeightRotation(bytes: 1 << 16)
    problem.run()
    #expect(problem.check().failure == nil)
    problem.run(turn: 1, of: rotation)
    #expect(problem.check().failure != nil)
    problem.run()
    #expect(problem.check().failure == nil)
    let huge = try WeightRotation(bytes: 4)
    problem.run(turn: 0, of: huge)
    #expect(problem.check().failure == nil)
  }
}
