import TestSupport
import Testing

@testable import Statistics

struct SeededGeneratorTests {
  // Computed by an independent implementation with integers of unlimited size.
  @Test func splitMixMatchesItsDefinition() {
    var generator = SplitMix64(seed: 1_234_567)
    #expect(
      (0..<5).map { _ in generator.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
      ])
  }

  @Test func xoshiroMatchesItsDefinition() {
    var generator = SeededGenerator(state: (1, 2, 3, 4))
    #expect(
      (0..<10).map { _ in generator.next() } == [
        11520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360,
        607_988_272_756_665_600, 16_172_922_978_634_559_625, 8_476_171_486_693_032_832,
        10_595_114_339_597_558_777, 2_904_607_092_377_533_576,
      ])
    var seeded = SeededGenerator(seed: 42)
    #expect(
      (0..<3).map { _ in seeded.next() } == [
        1_546_998_764_402_558_742, 6_990_951_692_964_543_102, 12_544_586_762_248_559_009,
      ])
  }

  @Test func indicesAreUniform() {
    var generator = SeededGenerator(seed: 7)
    var counts = [Int](repeating: 0, count: 6)
    for _ in 0..<60_000 { counts[generator.index(below: 6)] += 1 }
    // χ² with 5 degrees of freedom is below 20.5 with probability 0.999.
    let chiSquared = counts.reduce(0.0) { $0 + (Double($1) - 10_000) * (Double($1) - 10_000) / 10_000 }
    #expect(chiSquared < 20.5)
    expectEqual(generator.index(below: 1), 0)
  }

  @Test func everyOrderIsAsLikely() {
    var generator = SeededGenerator(seed: 11)
    var counts: [[Int]: Int] = [:]
    for _ in 0..<24_000 {
      var elements = [0, 1, 2, 3]
      generator.shuffle(&elements)
      counts[elements, default: 0] += 1
    }
    expectEqual(counts.count, 24)
    // χ² with 23 degrees of freedom is below 49.7 with probability 0.999.
    let chiSquared = counts.values.reduce(0.0) {
      $0 + (Double($1) - 1000) * (Double($1) - 1000) / 1000
    }
    #expect(chiSquared < 49.7)
  }

  @Test func unitStaysBelowOne() {
    var generator = SeededGenerator(seed: 3)
    let numbers = (0..<10_000).map { _ in generator.unit() }
    let mean: Double = numbers.reduce(0, +) / 10_000
    #expect(numbers.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(mean - 0.5) < 0.015)
  }
}
