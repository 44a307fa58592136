namespace TinyLlm.Engine.Tests;

/// <summary>Each processor by itself, and all in their order, against expectations computed in another way.</summary>
public sealed class SequenceSamplerTests
{
    private static readonly GenerationRequest Greedy = new() { PromptIds = [1], MaxNewTokens = 8, Sampling = new SamplingOptions { Temperature = 0 } };

    [Fact]
    public void Next_LogitBias_IsAdded()
    {
        Assert.Equal(2, Next(Greedy with { Sampling = Greedy.Sampling with { LogitBias = [new TokenBias(2, 1.5)] } }, 0, 1, 0));
        Assert.Equal(0, Next(Greedy with { Sampling = Greedy.Sampling with { LogitBias = [new TokenBias(1, -100)] } }, 0.5f, 90, 0));
        Assert.Equal(1, Next(Greedy with { Sampling = Greedy.Sampling with { LogitBias = [new TokenBias(1, 100)] } }, 50, -40, 0));
    }

    /// <summary>The penalties of OpenAI's documentation: mu[j] - c[j] * frequency - (c[j] &gt; 0) * presence; and CTRL's repetition penalty before them.</summary>
    [Theory]
    [InlineData(0.7, 0, 1)]
    [InlineData(0, 0.4, 1)]
    [InlineData(-1.5, 0.25, 1)]
    [InlineData(0, 0, 1.3)]
    [InlineData(0.5, 0.5, 0.8)]
    public void Next_Penalties_EqualTheFormula(double presence, double frequency, double repetition)
    {
        Random random = new(5);
        SamplingOptions sampling = new() { Temperature = 0, PresencePenalty = presence, FrequencyPenalty = frequency, RepetitionPenalty = repetition };
        SequenceSampler sampler = new(Greedy with { PromptIds = [3, 3, 5], Sampling = sampling });
        Sampler shared = new();
        List<int> said = [];
        for (int step = 0; step < 300; step++)
        {
            float[] logits = [.. Enumerable.Range(0, 8).Select(_ => (float)(random.NextDouble() * 6 - 3))];
            double[] expected = [.. logits.Select((logit, id) =>
            {
                int count = said.Count(other => other == id);
                double value = count > 0 || id is 3 or 5 ? logit > 0 ? logit / repetition : logit * repetition : logit;
                return value - (count * frequency) - (count > 0 ? presence : 0);
            })];
            int id = sampler.Next(shared, logits)!.Value.Id;
            Assert.Equal(expected.Max(), expected[id], 1e-5);
            Assert.All(logits.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-4));
            said.Add(id);
        }
        Assert.True(said.Distinct().Count() > 1);
    }

    [Fact]
    public void Next_MinNewTokens_ForbidsStopIdsUntilThen()
    {
        GenerationRequest request = Greedy with { StopIds = [0], MinNewTokens = 2 };
        SequenceSampler sampler = new(request);
        Sampler shared = new();
        Assert.Equal([1, 1, 0], Enumerable.Range(0, 3).Select(_ => sampler.Next(shared, [5f, 1f, 0f])!.Value.Id));
    }

    [Fact]
    public void Next_Logprobs_AreTheModelsOwn()
    {
        float[] logits = [1, 3, 2, -1];
        double[] exponents = [.. logits.Select(logit => Math.Exp(logit))];
        SamplingOptions sampling = new() { Temperature = 0, LogitBias = [new TokenBias(3, 50)] };
        GeneratedToken token = new SequenceSampler(Greedy with { Sampling = sampling, TopLogprobs = 3 }).Next(new Sampler(), [.. logits])!.Value;
        Assert.Equal(3, token.Id);
        Assert.Equal(Math.Log(exponents[3] / exponents.Sum()), token.Logprobs!.Logprob, 1e-9);
        Assert.Equal([1, 2, 0], token.Logprobs.Top.Select(top => top.Id));
        Assert.All(token.Logprobs.Top, top => Assert.Equal(Math.Log(exponents[top.Id] / exponents.Sum()), top.Logprob, 1e-9));
    }

    [Fact]
    public void Read_RandomLogits_TopEqualsASort()
    {
        Random random = new(2);
        for (int round = 0; round < 500; round++)
        {
            float[] logits = [.. Enumerable.Range(0, random.Next(1, 200)).Select(_ => random.Next(2) == 0 ? random.Next(5) : (float)random.NextDouble() * 5)];
            int top = random.Next(0, 21);
            int[] expected = [.. logits.Select((logit, id) => (logit, id)).OrderByDescending(pair => pair.logit).ThenBy(pair => pair.id).Take(top).Select(pair => pair.id)];
            Assert.Equal(expected, LogprobReader.Read(logits, 0, top).Top.Select(token => token.Id));
        }
    }

    /// <summary>Chi-square with a fixed seed: each filter leaves the distribution that its definition says, and nothing else.</summary>
    [Theory]
    [InlineData(1, 0, 1, 0)]
    [InlineData(0.7, 0, 1, 0)]
    [InlineData(1.8, 3, 1, 0)]
    [InlineData(1, 0, 0.8, 0)]
    [InlineData(1, 0, 1, 0.2)]
    [InlineData(1.3, 5, 0.9, 0.05)]
    public void Next_ManyDraws_FollowTheDefinition(double temperature, int topK, double topP, double minP)
    {
        float[] logits = [0.3f, 2.1f, -1, 1.7f, 0.9f, -0.2f, 1.1f];
        double[] weights = Distribution(logits, temperature, topK, topP, minP);
        SequenceSampler sampler = new(Greedy with { Sampling = new SamplingOptions { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP, Seed = 17 } });
        Sampler shared = new();
        int[] counts = new int[logits.Length];
        const int Draws = 60_000;
        for (int i = 0; i < Draws; i++) counts[sampler.Next(shared, [.. logits])!.Value.Id]++;
        double chi = 0;
        for (int id = 0; id < logits.Length; id++)
        {
            if (weights[id] == 0) Assert.Equal(0, counts[id]);
            else chi += Math.Pow(counts[id] - (Draws * weights[id]), 2) / (Draws * weights[id]);
        }
        Assert.InRange(chi, 0.001, 22.46); // six degrees of freedom: passed by one seed in a thousand
    }

    [Theory]
    [InlineData("presence_penalty")]
    [InlineData("frequency_penalty")]
    [InlineData("repetition_penalty")]
    [InlineData("min_p")]
    [InlineData("logit_bias")]
    public void Validate_OutOfRange_NamesTheField(string field)
    {
        SamplingOptions[] bad = field switch
        {
            "presence_penalty" => [new() { PresencePenalty = 2.1 }, new() { PresencePenalty = double.NaN }],
            "frequency_penalty" => [new() { FrequencyPenalty = -2.1 }, new() { FrequencyPenalty = double.NegativeInfinity }],
            "repetition_penalty" => [new() { RepetitionPenalty = 0 }, new() { RepetitionPenalty = 11 }, new() { RepetitionPenalty = double.NaN }],
            "min_p" => [new() { MinP = -0.1 }, new() { MinP = 1.1 }, new() { MinP = double.NaN }],
            _ => [new() { LogitBias = [new(8, 1)] }, new() { LogitBias = [new(-1, 1)] }, new() { LogitBias = [new(1, 101)] }, new() { LogitBias = [new(1, double.NaN)] }, new() { LogitBias = [new(1, 1), new(1, 2)] }],
        };
        Assert.All(bad, options => Assert.Equal(field, Assert.Throws<ArgumentOutOfRangeException>(() => options.Validate(8)).ParamName));
    }

    private static int Next(GenerationRequest request, params float[] logits) => new SequenceSampler(request).Next(new Sampler(), logits)!.Value.Id;

    /// <summary>By sorting and summing, one filter after the other.</summary>
    private static double[] Distribution(float[] logits, double temperature, int topK, double topP, double minP)
    {
        double[] weights = [.. logits.Select(logit => Math.Exp(logit / temperature))];
        int[] order = [.. Enumerable.Range(0, logits.Length).OrderByDescending(id => logits[id])];
        for (int rank = topK > 0 ? topK : order.Length; rank < order.Length; rank++) weights[order[rank]] = 0;
        double total = weights.Sum(), before = 0;
        foreach (int id in order)
        {
            double share = weights[id] / total;
            if (before >= topP) weights[id] = 0;
            before += share;
        }
        double most = weights.Max();
        for (int id = 0; id < weights.Length; id++) weights[id] = weights[id] < minP * most ? 0 : weights[id];
        return [.. weights.Select(weight => weight / weights.Sum())];
    }
}
