import Testing

@testable import GPT2Engine

@Suite struct WeightWalkTests {
  private let page = 4096 / 4

  /// Sixteen pages, of which two are kept apart.
  private func make() throws -> (walk: WeightWalk, base: UnsafePointer<Float>) {
    let rotation = try WeightRotation(bytes: 16 * 4096)
    return (WeightWalk(rotation), rotation.base)
  }

  @Test func itGoesThroughAllButWhatIsKeptApart() throws {
    let (walk, base) = try make()
    #expect(walk.count == 14 * page)
    let places = try [4 * page, 4 * page - 5, page, 5 * page, page, 14 * page, 1].map {
      try #require(walk.next($0)) - base
    }
    #expect(places == [0, 4, 8, 9, 0, 0, 0].map { $0 * page })
    #expect(walk.next(14 * page + 1) == nil)
  }

  @Test func whatIsApartTakesTurnsBehindTheRest() throws {
    let (walk, base) = try make()
    let places = try (0..<4).map { _ in try #require(walk.apart(page)) - base }
    #expect(Set(places) == [14 * page, 15 * page])
    #expect(places[0] != places[1] && places[0] == places[2])
    #expect(try #require(walk.apart(2 * page)) - base == 14 * page)
    #expect(walk.apart(2 * page + 1) == nil)
  }

  /// A layer's vectors and the next one's do not touch, or fetching the one would begin with the other.
  @Test func neighboursInTimeAreFarApart() throws {
    let rotation = try WeightRotation(bytes: 8000 * 4096)
    let walk = WeightWalk(rotation)
    let places = try (0..<100).map { _ in try #require(walk.apart(9984)) - rotation.base }
    #expect(Set(places).count == 100)
    #expect(zip(places, places.dropFirst()).allSatisfy { abs($0 - $1) > 2 * 9984 })
  }

  @Test func aTinyRotationHasNothingToGive() throws {
    let walk = WeightWalk(try WeightRotation(bytes: 4))
    #expect(walk.next(1) == nil && walk.apart(1) == nil)
  }
}
