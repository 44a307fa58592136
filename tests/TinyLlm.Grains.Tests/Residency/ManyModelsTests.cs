using System.Collections.Concurrent;
using TinyLlm.Engine;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Tests.Simulation;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Residency;

/// <summary>
/// Ten times more models than there is room for, used by Zipf's law from many sides at once: loads, evictions, streams and cancellations in any order. What is asked is a pure function
/// of the seed; how it interleaves is the machine's.
/// </summary>
public sealed class ManyModelsTests
{
    private const int Models = 200, Room = 20, Workers = 16, Steps = 10_000, Seed = 20260101;

    private int _next, _served, _gaveUp, _refused;

    [Fact]
    public async Task AnySchedule_RoomForATenth_KillsNoStream_KeepsTheBudget_AndServesEverybody()
    {
        // The caches of all workers fit beside twenty models, and not one model more.
        await using TestHost host = new((Room * TinyModel.WeightBytes) + (TinyModel.WeightBytes / 2));
        ConcurrentBag<string> faults = [];
        host.Device.Stepped = _ => CheckBytes(host, faults);
        VersionAddress[] models = await host.StoreAsync(Models);
        ModelTraffic traffic = new(Models, exponent: 1, Seed);
        int[] choices = [.. Enumerable.Range(0, Steps).Select(_ => traffic.Next())];

        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref _next) - 1 is var step && step < Steps)
            {
                await StepAsync(host, models[choices[step]], $"caller {worker}", new Random(Seed + step));
                CheckBytes(host, faults);
            }
        })));

        Assert.Empty(faults);
        Assert.Equal(Steps, _served + _gaveUp);
        Assert.InRange(_gaveUp, 0, Steps / 8);
        TestContext.Current.SendDiagnosticMessage("{0} steps: {1} served, {2} gave up, {3} were told to come back", Steps, _served, _gaveUp, _refused);
        await Eventually.TrueAsync(() => host.Host.Snapshot() is { Holds: 0, Running: 0, Waiting: 0 });
        Assert.InRange(host.Host.Snapshot().Models, Room / 2, Room);
        for (int worker = 0; worker < Workers; worker++) await host.Loop.ForgetAsync($"caller {worker}"); // what the prefix cache kept is reserved too
        // A load that nobody waits for any more may still be under way.
        await Eventually.TrueAsync(() => host.Host.Snapshot().Models is var left && host.Loop.Budget.ReservedBytes == left * TinyModel.WeightBytes
            && (host.Device.LiveTensors, host.Device.AllocatedBytes) == (left, left * TinyModel.WeightBytes));
    }

    private async Task StepAsync(TestHost host, VersionAddress model, string caller, Random random)
    {
        int kind = random.Next(16), tokens = random.Next(1, 50);
        using CancellationTokenSource gone = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        while (true)
        {
            try
            {
                Task<ResidentHold> acquiring = host.Host.AcquireAsync(model, gone.Token);
                if (kind == 0) await gone.CancelAsync(); // the load goes on for others
                using ResidentHold hold = await acquiring;
                await UseAsync(hold, caller, kind, tokens);
                Interlocked.Increment(ref _served);
                return;
            }
            catch (RequestException refusal) when (refusal is { Error: RequestError.NoCapacity, RetryAfter: not null })
            {
                // Loads that nobody waits for any more may fill the room for a moment. Whoever comes back is served, or this never ends.
                Interlocked.Increment(ref _refused);
                await Task.Yield();
            }
            catch (OperationCanceledException) when (kind == 0)
            {
                Interlocked.Increment(ref _gaveUp);
                return;
            }
        }
    }

    private static async Task UseAsync(ResidentHold hold, string caller, int kind, int tokens)
    {
        if (kind <= 2) return; // held and let go
        Generation generation = hold.Start(TestHost.Request(1, tokens) with { Caller = caller })[0];
        if (kind == 3) return; // let go while it waits or runs
        int read = 0;
        await foreach (GeneratedToken token in generation.Tokens.ReadAllAsync())
        {
            Assert.Equal(++read % TinyCheckpoint.Vocabulary, token.Id); // the simulated device counts: a cache of another sequence would show
            if (read == 5 && kind <= 6) return;
        }
        GenerationEnd end = await generation.Completion;
        Assert.Equal((FinishReason.Length, tokens, tokens), (end.Reason, end.CompletionTokens, read));
    }

    private static void CheckBytes(TestHost host, ConcurrentBag<string> faults)
    {
        long limit = host.Loop.Budget.LimitBytes, reserved = host.Loop.Budget.ReservedBytes, allocated = host.Device.AllocatedBytes;
        if (reserved > limit || allocated > limit) faults.Add($"{reserved} bytes reserved, {allocated} allocated of {limit}");
    }
}
