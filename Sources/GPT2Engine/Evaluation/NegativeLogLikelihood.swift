import Foundation

/// −log softmax(logits)[token] in nats: log Σᵢ exp(lᵢ − max) − (l_token − max), in double, so that the sum of fifty
/// thousand probabilities is exact to what is printed.
///
/// - Parameter logits: (vocabulary)
/// - Returns: at least 0, infinity for a token whose logit is −infinity; NaN where a logit is NaN or +infinity.
func negativeLogLikelihood(of token: Int, _ logits: UnsafeBufferPointer<Float>) -> Double {
  var largest = -Float.infinity
  for logit in logits { largest = logit > largest ? logit : largest }
  let shift = Double(largest)
  var sum = 0.0
  for logit in logits { sum += exp(Double(logit) - shift) }
  return log(sum) - (Double(logits[token]) - shift)
}
