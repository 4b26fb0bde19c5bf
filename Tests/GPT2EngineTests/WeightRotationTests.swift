import GPT2Kernels
import TestSupport
import Testing

@testable import GPT2Engine

struct WeightRotationTests {
  private let page = 4096 / 4

  private func places(_ rotation: WeightRotation, count: Int, turns: Int) throws -> [Int] {
    let base = try #require(rotation.weights(turn: 0, count: 1))
    return try (0..<turns).map { try #require(rotation.weights(turn: $0, count: count)) - base }
  }

  @Test func turnsGoThroughAllOfTheMemoryAndBeginAgain() throws {
    let rotation = try WeightRotation(bytes: 10 * 4096)
    expectEqual(rotation.bytes, 40_960)
    try expectEqual(places(rotation, count: 2 * page, turns: 6), [0, 2, 4, 6, 8, 0].map { $0 * page })
    // What does not divide the memory ends with its last page all the same.
    try expectEqual(places(rotation, count: 4 * page, turns: 4), [0, 4, 6, 0].map { $0 * page })
    try expectEqual(places(rotation, count: 3 * page - 5, turns: 5), [0, 3, 6, 7, 0].map { $0 * page })
    try expectEqual(places(rotation, count: 10 * page, turns: 2), [0, 0])
    expectNil(rotation.weights(turn: 0, count: 10 * page + 1))
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
    let rotation = try WeightRotation(bytes: 1 << 16)
    let problem = try MatmulProblem(m: 2, k: 5, n: 3, kernel: kernel, rotation: rotation)
    expectNil(problem.check().failure)
    _ = problem.run(turn: 1)
    #expect(problem.checkOutput().failure != nil)
    expectNil(problem.check().failure)
    let huge = try MatmulProblem(
      m: 2, k: 5, n: 3, kernel: kernel, rotation: try WeightRotation(bytes: 4))
    _ = huge.run(turn: 0)
    expectNil(huge.checkOutput().failure)
  }
}

struct WeightWalkTests {
  private let page = 4096 / 4

  /// Sixteen pages, of which two are kept apart.
  private func make() throws -> (walk: WeightWalk, base: UnsafePointer<Float>) {
    let rotation = try WeightRotation(bytes: 16 * 4096)
    return (WeightWalk(rotation), rotation.base)
  }

  @Test func itGoesThroughAllButWhatIsKeptApart() throws {
    let (walk, base) = try make()
    expectEqual(walk.count, 14 * page)
    let places = try [4 * page, 4 * page - 5, page, 5 * page, page, 14 * page, 1].map {
      try #require(walk.next($0)) - base
    }
    expectEqual(places, [0, 4, 8, 9, 0, 0, 0].map { $0 * page })
    expectNil(walk.next(14 * page + 1))
  }

  @Test func whatIsApartTakesTurnsAfterTheRest() throws {
    let (walk, base) = try make()
    let places = try (0..<4).map { _ in try #require(walk.apart(page)) - base }
    expectEqual(Set(places), [14 * page, 15 * page])
    #expect(places[0] != places[1] && places[0] == places[2])
    try expectEqual(#require(walk.apart(2 * page)) - base, 14 * page)
    expectNil(walk.apart(2 * page + 1))
  }

  /// A layer's vectors and the next one's do not touch, or fetching the one would begin with the other.
  @Test func neighboursInTimeAreFarApart() throws {
    let rotation = try WeightRotation(bytes: 8000 * 4096)
    let walk = WeightWalk(rotation)
    let places = try (0..<100).map { _ in try #require(walk.apart(9984)) - rotation.base }
    expectEqual(Set(places).count, 100)
    #expect(zip(places, places.dropFirst()).allSatisfy { abs($0 - $1) > 2 * 9984 })
  }

  @Test func aTinyRotationHasNothingToGive() throws {
    let walk = WeightWalk(try WeightRotation(bytes: 4))
    expectNil(walk.next(1))
    expectNil(walk.apart(1))
  }
}
