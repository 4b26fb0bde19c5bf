import Foundation
import GPT2Engine
import TestSupport
import Testing

struct SamplerTests {
  private func draws(
    _ logits: [Float], _ parameters: SamplingParameters, _ count: Int = 1, after tokens: [Int] = []
  ) throws -> [Int] {
    var sampler = Sampler(parameters)
    return try logits.withUnsafeBufferPointer { buffer in
      try (0..<count).map { _ in try sampler.next(buffer, after: tokens) }
    }
  }

  /// Logits with these probabilities.
  private func logits(_ probabilities: [Double]) -> [Float] { probabilities.map { Float(log($0)) } }

  @Test(
    arguments: [
      ([1, 3, 2], 1), ([3, 3, 3], 0), ([-5, -1, -1], 1), ([-3e38, 3e38], 1), ([-3e38, -3e38], 0), ([7], 0),
      ([-0, 0], 0),
    ] as [([Float], Int)])
  func greedyTakesTheLargestTheLowestAmongEquals(_ logits: [Float], _ winner: Int) throws {
    try expectEqual(draws(logits, .greedy), [winner])
    try expectEqual(logits.withUnsafeBufferPointer { try argmax($0, position: 0) }, winner)
  }

  /// Wherever it is, in whole vectors and blocks and after them, and however the token would be chosen.
  @Test(
    arguments: [
      (0, nil, 1, 0, 1), (1, nil, 1, 0, 1), (1, 3, 1, 0, 1), (1, nil, 0.9, 0, 1), (1, nil, 1, 0.1, 1),
      (0, nil, 1, 0, 2),
    ] as [(Float, Int?, Float, Float, Float)])
  func whatIsNotFiniteIsNamed(
    _ temperature: Float, _ topK: Int?, _ topP: Float, _ minP: Float, _ penalty: Float
  ) throws {
    let parameters = try SamplingParameters(
      temperature: temperature, topK: topK, topP: topP, minP: minP, repetitionPenalty: penalty, seed: 4)
    for count in [1, 15, 16, 63, 64, 65, 511, 512, 513, 1100] {
      for place in Set([0, 1, count / 2, count - 2, count - 1]) where (0..<count).contains(place) {
        for value in [Float.nan, -.nan, .infinity, -.infinity] {
          var logits = (0..<count).map { Float($0 % 13) }
          logits[place] = value
          let found = value.isNaN ? "nan" : "\(value)"
          #expect(throws: EngineError.nonFiniteLogit(position: 2, token: place, found: found)) {
            try draws(logits, parameters, after: [0, 0, 0])
          }
          // The first of several.
          logits[count - 1] = .nan
          let error = #expect(throws: EngineError.self) { try draws(logits, parameters, after: [0]) }
          expectEqual(error?.description.contains("token \(place) is "), true)
        }
      }
    }
  }

  /// That is the penalty's doing and no fault of the model's.
  @Test func aPenaltyMayMakeALogitInfinite() throws {
    for temperature: Float in [0, 1] {
      let reward = try SamplingParameters(temperature: temperature, repetitionPenalty: 1e-38, seed: 1)
      try expectEqual(draws([1e3, 5, 1e3], reward, after: [2]), [2])
      let penalty = try SamplingParameters(temperature: temperature, repetitionPenalty: 1e38, seed: 1)
      try expectEqual(draws([-5, -1e3, -1e3], penalty, after: [1, 2]), [0])
    }
  }

  @Test func topKKeepsTheKLargestTheLowestAmongEquals() throws {
    let logits: [Float] = [1, 5, 5, 2, 5, 4, -1]
    for (k, kept) in [(1, [1]), (2, [1, 2]), (3, [1, 2, 4]), (4, [1, 2, 4, 5]), (99, Array(0..<7))] {
      let parameters = try SamplingParameters(temperature: 50, topK: k, seed: 9)
      try expectEqual(Set(draws(logits, parameters, 400)), Set(kept))
    }
  }

  /// The k largest of many, against a sort.
  @Test(arguments: [1, 2, 7, 40, 499, 500])
  func topKOfManyAgreesWithASort(_ k: Int) throws {
    let logits = (0..<500).map { Float(($0 * 7919) % 523) / 8 }
    let kept = logits.indices.sorted { (logits[$0], $1) > (logits[$1], $0) }.prefix(k)
    let parameters = try SamplingParameters(temperature: 1e6, topK: k, seed: 1)
    let drawn = try Set(draws(logits, parameters, 40 * k))
    #expect(drawn.isSubset(of: kept))
    #expect(Double(drawn.count) > 0.95 * Double(k))
  }

  /// Probabilities ½, ¼, ⅛, ⅛ are exact: the fewest tokens whose sum reaches p.
  @Test func topPKeepsTheFewestTokensThatReachIt() throws {
    let logits = [2, 0, 1, 0].map { Float($0) * Float(log(2.0)) }
    let cases: [(Float, Set<Int>)] = [
      (1e-6, [0]), (0.49, [0]), (0.51, [0, 2]), (0.74, [0, 2]), (0.76, [0, 1, 2]), (0.87, [0, 1, 2]),
      (0.88, [0, 1, 2, 3]), (1, [0, 1, 2, 3]),
    ]
    for (p, kept) in cases {
      try expectEqual(
        Set(draws(logits, try SamplingParameters(temperature: 1, topP: p, seed: 2), 600)), kept,
        "p = \(p)")
    }
    // Equal logits have probabilities without rounding: p is reached exactly at the boundary.
    let equal = [Float](repeating: 0, count: 4)
    for (p, kept) in [(Float(0.25), Set([0])), (0.5, [0, 1]), (0.75, [0, 1, 2]), (0.5000001, [0, 1, 2])] {
      try expectEqual(
        Set(draws(equal, try SamplingParameters(temperature: 1, topP: p, seed: 2), 600)), kept,
        "p = \(p)")
    }
  }

  /// Temperature before top-p: a cold distribution reaches p with fewer tokens. Top-k before top-p: p is a share of
  /// what top-k left.
  @Test func theOrderIsTemperatureTopKTopP() throws {
    let tokens = logits([0.4, 0.3, 0.2, 0.1])
    func kept(_ temperature: Float, _ k: Int?, _ p: Float) throws -> Set<Int> {
      try Set(draws(tokens, try SamplingParameters(temperature: temperature, topK: k, topP: p, seed: 3), 800))
    }
    try expectEqual(kept(1, nil, 0.6), [0, 1])
    try expectEqual(kept(0.2, nil, 0.6), [0])
    try expectEqual(kept(100, nil, 0.6), [0, 1, 2])
    // Of ids 0 and 1 the first has 4/7 = 0.571 of the probability.
    try expectEqual(kept(1, 2, 0.57), [0])
    try expectEqual(kept(1, 2, 0.58), [0, 1])
  }

  /// Probabilities ½, ¼, ⅛, ⅛ are exact.
  @Test func minPKeepsTokensAtLeastThatShareAsLikelyAsTheFirst() throws {
    let logits = [2, 0, 1, 0].map { Float($0) * Float(log(2.0)) }
    let cases: [(Float, Set<Int>)] = [
      (0, [0, 1, 2, 3]), (0.24, [0, 1, 2, 3]), (0.26, [0, 2]), (0.49, [0, 2]), (0.51, [0]), (1, [0]),
    ]
    for (p, kept) in cases {
      try expectEqual(
        Set(draws(logits, try SamplingParameters(temperature: 1, minP: p, seed: 2), 600)), kept,
        "p = \(p)")
    }
    // All equals of the likeliest stay at 1.
    let equal: [Float] = [3, 1, 3, 3, 2]
    try expectEqual(
      Set(draws(equal, try SamplingParameters(temperature: 1, minP: 1, seed: 2), 200)), [0, 2, 3])
    // Temperature before min-p: a hot distribution has more tokens that are likely enough.
    let temperatures: [(Float, Set<Int>)] = [(0.5, [0]), (1, [0, 2]), (2, [0, 1, 2, 3])]
    for (temperature, kept) in temperatures {
      let parameters = try SamplingParameters(temperature: temperature, minP: 0.3, seed: 2)
      try expectEqual(Set(draws(logits, parameters, 600)), kept)
    }
    // After top-p, whose share is of all: 0.74 leaves two, min-p alone would leave four.
    let both = try SamplingParameters(temperature: 1, topP: 0.74, minP: 0.2, seed: 2)
    try expectEqual(Set(draws(logits, both, 600)), [0, 2])
  }

  @Test func thePenaltyDividesPositiveLogitsAndMultipliesNegativeOnes() throws {
    let logits: [Float] = [3, 2, -1, -2, 0]
    func greedy(_ penalty: Float, _ tokens: [Int]) throws -> Int {
      try draws(logits, SamplingParameters(temperature: 0, repetitionPenalty: penalty), after: tokens)[0]
    }
    try expectEqual(greedy(1, [0, 0]), 0)
    try expectEqual(greedy(1.4, [0]), 0)
    try expectEqual(greedy(1.6, [0]), 1)
    // Once, however often a token stands in the text: twice would make 3 less than 2.
    try expectEqual(greedy(1.4, [0, 0, 0]), 0)
    try expectEqual(greedy(100, [0, 1]), 0)
    // −1 becomes −2.5, after −2; 0 stays.
    let negative: [Float] = [-1, -2, -3]
    let penalised = try SamplingParameters(temperature: 0, repetitionPenalty: 2.5)
    try expectEqual(draws(negative, penalised, after: [0]), [1])
    // Below 1 it rewards.
    try expectEqual(greedy(0.5, [1]), 1)
  }

  /// Probabilities are those of the penalised logits, and the cuts come after it.
  @Test func thePenaltyStandsBeforeTemperatureAndCuts() throws {
    let logits: [Float] = [4, 3, 2]
    let parameters = try SamplingParameters(temperature: 1, topK: 1, repetitionPenalty: 2, seed: 1)
    try expectEqual(Set(draws(logits, parameters, 50, after: [0])), [1])
    let free = try SamplingParameters(temperature: 1, seed: 6)
    let penalised = try SamplingParameters(temperature: 1, repetitionPenalty: 2, seed: 6)
    try expectEqual(draws(logits, penalised, 200, after: [0, 1]), draws([2, 1.5, 2], free, 200))
  }

  /// Over thousands of tokens, each cut against its definition on sorted probabilities.
  @Test(
    arguments: [
      (nil, 0.9, 0), (nil, 0.3, 0.001), (500, 0.8, 0), (2500, 1, 0), (nil, 1, 0.02), (40, 0.95, 0.05),
      (nil, 1, 0),
    ] as [(Int?, Float, Float)])
  func cutsOfManyTokensAreThoseOfTheirDefinitions(_ topK: Int?, _ topP: Float, _ minP: Float) throws {
    let count = 5003
    let logits = (0..<count).map { id in
      let mixed = Float((id * 7919) % 5021)
      return mixed / 500 - Float(id % 3)
    }
    let order = (0..<count).sorted { (logits[$0], $1) > (logits[$1], $0) }
    var kept = order.prefix(topK ?? count)
    let power = { (id: Int) in exp(Double(logits[id]) - Double(logits[order[0]])) }
    let total = kept.reduce(0) { $0 + power($1) }
    var reached = 0.0
    let last = kept.firstIndex { id in
      reached += power(id)
      return reached >= Double(topP) * total
    }
    if let last, topP < 1 { kept = kept[...last] }
    kept.removeAll { power($0) < Double(minP) }
    let parameters = try SamplingParameters(temperature: 1, topK: topK, topP: topP, minP: minP, seed: 8)
    let drawn = try draws(logits, parameters, 4000)
    #expect(Set(drawn).isSubset(of: kept))
    // The less likely half of what is left is drawn as often as its probability says.
    let all = kept.reduce(0) { $0 + power($1) }
    let half = Set(kept.suffix(kept.count / 2))
    let share = half.reduce(0) { $0 + power($1) } / all
    let found = Double(drawn.filter(half.contains).count) / 4000
    let deviation = (share * (1 - share) / 4000).squareRoot()
    #expect(abs(found - share) < 4 * deviation + 1e-9)
  }

  @Test(
    arguments: [
      (1, nil, 1, [0.4, 0.3, 0.2, 0.1]), (1, 3, 1, [4.0 / 9, 3.0 / 9, 2.0 / 9, 0]),
      (1, nil, 0.65, [4.0 / 7, 3.0 / 7, 0, 0]), (0.5, nil, 1, [16.0 / 30, 9.0 / 30, 4.0 / 30, 1.0 / 30]),
    ] as [(Float, Int?, Float, [Double])])
  func drawsFollowTheProbabilities(
    _ temperature: Float, _ topK: Int?, _ topP: Float, _ probabilities: [Double]
  ) throws {
    let count = 30_000
    let parameters = try SamplingParameters(temperature: temperature, topK: topK, topP: topP, seed: 12)
    var seen = [0.0, 0, 0, 0]
    for id in try draws(logits([0.4, 0.3, 0.2, 0.1]), parameters, count) { seen[id] += 1 }
    var chiSquare = 0.0
    for (found, probability) in zip(seen, probabilities) {
      let expected = probability * Double(count)
      if expected == 0 {
        expectEqual(found, 0)
      } else {
        chiSquare += (found - expected) * (found - expected) / expected
      }
    }
    // Above this with three degrees of freedom one time in a thousand.
    #expect(chiSquare < 16.27)
  }

  @Test func theSameSeedDrawsTheSameTokens() throws {
    let tokens = (0..<100).map { Float($0 % 13) / 4 }
    let parameters = try SamplingParameters(temperature: 1, seed: 77)
    let other = try SamplingParameters(temperature: 1, seed: 78)
    try expectEqual(draws(tokens, parameters, 50), draws(tokens, parameters, 50))
    #expect(try draws(tokens, parameters, 50) != draws(tokens, other, 50))
  }

  @Test(arguments: [Float.leastNonzeroMagnitude, 1e-30, 1e30, .greatestFiniteMagnitude])
  func extremeTemperaturesAreSafe(_ temperature: Float) throws {
    let parameters = try SamplingParameters(temperature: temperature, seed: 5)
    let drawn = try Set(draws([-3e38, 1, 3e38, 2], parameters, 300))
    #expect(temperature < 1e38 ? drawn == [2] : drawn.isSuperset(of: [1, 2, 3]))
  }

  @Test(arguments: [-1, -1e-9, Float.nan, .infinity])
  func aSenselessTemperatureIsRefused(_ temperature: Float) {
    let error = #expect(throws: EngineError.self) { try SamplingParameters(temperature: temperature) }
    expectEqual(error?.description.hasPrefix("temperature is \(temperature), expected 0"), true)
  }

  @Test(arguments: [0, -1, Int.min])
  func aSenselessTopKIsRefused(_ topK: Int) {
    #expect(throws: EngineError.sampling(parameter: "top-k", found: "\(topK)", expected: "1 or more")) {
      try SamplingParameters(temperature: 1, topK: topK)
    }
  }

  @Test(arguments: [0, -0.5, 1.001, Float.nan, .infinity])
  func aSenselessTopPIsRefused(_ topP: Float) {
    #expect(
      throws: EngineError.sampling(parameter: "top-p", found: "\(topP)", expected: "above 0, at most 1")
    ) { try SamplingParameters(temperature: 1, topP: topP) }
  }

  @Test(arguments: [-0.1, 1.001, Float.nan, .infinity])
  func aSenselessMinPIsRefused(_ minP: Float) {
    #expect(throws: EngineError.sampling(parameter: "min-p", found: "\(minP)", expected: "0 (off) to 1")) {
      try SamplingParameters(temperature: 1, minP: minP)
    }
  }

  @Test(arguments: [0, -1, Float.nan, .infinity])
  func aSenselessPenaltyIsRefused(_ penalty: Float) {
    let error = #expect(throws: EngineError.self) {
      try SamplingParameters(temperature: 1, repetitionPenalty: penalty)
    }
    expectEqual(
      error?.description, "repetition penalty is \(penalty), expected a positive number, 1 for none")
  }
}
