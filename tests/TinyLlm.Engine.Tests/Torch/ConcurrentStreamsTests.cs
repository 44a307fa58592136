using Microsoft.Extensions.Logging.Abstractions;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>
/// 64 streams of different lengths that arrive while others run, of callers whose prompts begin alike, in batches that do not hold them all: each
/// ends once, with the text that it gives alone and without a cache. libtorch's F32 depends on the shape of a batch, so a text may part where the
/// two best logits lie no further apart than ten times the noise measured; that is counted and printed.
/// </summary>
[Collection(TorchTests.Name)]
public sealed class ConcurrentStreamsTests(ITestOutputHelper output)
{
    private const int Streams = 64;

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public async Task Start_StreamsThatArriveOverTime_SayWhatTheySayAlone(int models)
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        TinyCheckpoint[] tiny = [.. TinyShapes.Architectures.Take(models).Select((architecture, i) => new TinyCheckpoint(architecture, seed: i + 1))];
        Checkpoint[] checkpoints = [.. tiny.Select(one => Checkpoint.Open(one.Write()))];
        Random random = new(models);
        Plan[] plans = [.. Enumerable.Range(0, Streams).Select(i => MakePlan(i, random, models))];
        (Path[] alone, double noise) = Reference(checkpoints, plans);

        DeviceLoopOptions options = new() { MaxRunning = 40, MaxBatch = 24, PrefillTokens = 48, MaxWaiting = 256, WaitDeadline = TimeSpan.FromMinutes(10) };
        TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        long before = backend.LiveTensors;
        await using (DeviceLoop loop = new(backend, options, TimeProvider.System, NullLogger<DeviceLoop>.Instance))
        {
            List<ResidentModel> resident = [];
            foreach (Checkpoint checkpoint in checkpoints) resident.Add(await loop.LoadAsync(checkpoint, cancellationToken));
            using SemaphoreSlim tokens = new(0);
            List<Task<(int[] Ids, GenerationEnd End)>> streams = [];
            foreach (Plan plan in plans)
            {
                // Two at once, and from then on one after every few tokens of the others.
                for (int wait = streams.Count < 2 ? 0 : random.Next(1, 6); wait > 0; wait--) await tokens.WaitAsync(cancellationToken);
                Generation generation = loop.Start(resident[plan.Model], plan.Request);
                streams.Add(Read(generation, tokens, cancellationToken));
            }
            (int[] Ids, GenerationEnd End)[] answers = await Task.WhenAll(streams);

            int parted = 0;
            for (int i = 0; i < Streams; i++)
            {
                Assert.Equal(FinishReason.Length, answers[i].End.Reason);
                Assert.Equal((plans[i].Request.MaxNewTokens, plans[i].Request.MaxNewTokens), (answers[i].Ids.Length, answers[i].End.CompletionTokens));
                int common = answers[i].Ids.AsSpan().CommonPrefixLength(alone[i].Ids);
                if (common == alone[i].Ids.Length) continue;
                parted++;
                Assert.InRange(alone[i].Margins[common], 0, 10 * noise);
            }
            int cached = answers.Count(answer => answer.End.CachedTokens > 0);
            output.WriteLine($"{models} models: {parted} of {Streams} texts part from those alone, where margins are up to {10 * noise:e2}; {cached} had a cached beginning");
            Assert.InRange(cached, 8, Streams);
            LoopSnapshot snapshot = loop.Snapshot();
            Assert.Equal((0, 0, 0, snapshot.PrefixBytes), (snapshot.RunningSequences, snapshot.WaitingSequences, snapshot.PausedSequences, snapshot.ReservedBytes));
        }
        Assert.Equal(before, backend.LiveTensors);
        foreach (Checkpoint checkpoint in checkpoints) checkpoint.Dispose();
        foreach (TinyCheckpoint one in tiny) one.Dispose();
    }

    private static Plan MakePlan(int number, Random random, int models)
    {
        // A caller's prompts begin alike, and part somewhere.
        int caller = number % 5, model = number % models;
        Random common = new(caller);
        int shared = random.Next(0, 60);
        int[] prompt = [.. Enumerable.Range(0, shared).Select(_ => common.Next(TinyShapes.Vocabulary)), .. Enumerable.Range(0, random.Next(1, 12)).Select(_ => random.Next(TinyShapes.Vocabulary))];
        return new Plan(model, new GenerationRequest
        {
            PromptIds = [.. prompt],
            MaxNewTokens = random.Next(8, 50),
            Sampling = new SamplingOptions { Temperature = 0 },
            Caller = $"caller {caller}",
        });
    }

    private static async Task<(int[], GenerationEnd)> Read(Generation generation, SemaphoreSlim tokens, CancellationToken cancellationToken)
    {
        List<int> ids = [];
        await foreach (GeneratedToken token in generation.Tokens.ReadAllAsync(cancellationToken))
        {
            ids.Add(token.Id);
            tokens.Release();
        }
        return ([.. ids], await generation.Completion);
    }

    /// <summary>Each stream alone, and the largest difference that a batch of all of a model's makes to their first logits.</summary>
    private static (Path[] Paths, double Noise) Reference(Checkpoint[] checkpoints, Plan[] plans)
    {
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        Path[] paths = new Path[plans.Length];
        double noise = 0;
        for (int model = 0; model < checkpoints.Length; model++)
        {
            using IDecoder decoder = backend.Load(checkpoints[model]);
            int[] mine = [.. Enumerable.Range(0, plans.Length).Where(i => plans[i].Model == model)];
            foreach (int i in mine) paths[i] = Alone(decoder, plans[i].Request);
            IKeyValueCache[] caches = [.. mine.Select(i => decoder.CreateCache(plans[i].Request.PromptIds.Length))];
            float[] together = new float[mine.Length * TinyShapes.Vocabulary];
            decoder.Forward([.. mine.Select((i, row) => new DecoderInput(caches[row], plans[i].Request.PromptIds.AsMemory()))], together);
            for (int row = 0; row < mine.Length; row++)
            {
                for (int id = 0; id < TinyShapes.Vocabulary; id++)
                    noise = Math.Max(noise, Math.Abs(together[row * TinyShapes.Vocabulary + id] - paths[mine[row]].FirstLogits[id]));
                caches[row].Dispose();
            }
        }
        return (paths, noise);
    }

    private static Path Alone(IDecoder decoder, GenerationRequest request)
    {
        using IKeyValueCache cache = decoder.CreateCache(request.PromptIds.Length + request.MaxNewTokens);
        List<int> ids = [.. request.PromptIds];
        List<double> margins = [];
        float[]? first = null;
        for (int i = 0; i < request.MaxNewTokens; i++)
        {
            float[] logits = new float[TinyShapes.Vocabulary];
            decoder.Forward([new DecoderInput(cache, ids[cache.Length..].ToArray())], logits);
            first ??= logits;
            float[] sorted = [.. logits.OrderDescending()];
            margins.Add(sorted[0] - sorted[1]);
            ids.Add(Array.IndexOf(logits, sorted[0]));
        }
        return new Path([.. ids[request.PromptIds.Length..]], [.. margins], first ?? throw new InvalidOperationException("nothing was generated"));
    }

    private sealed record Plan(int Model, GenerationRequest Request);

    /// <summary>What a stream says alone, how far apart the two best logits were at each token, and the first logits.</summary>
    private sealed record Path(int[] Ids, double[] Margins, float[] FirstLogits);
}
