using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Sessions;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Sessions;

/// <summary>What a session remembers of prompts, for whom, and until when; and embeddings under the same lease.</summary>
public sealed class SessionPrefixTests : IAsyncLifetime
{
    private GrainCluster _cluster = null!;
    private TestUser _alice = null!;
    private ModelLease _lease = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await GrainCluster.StartAsync();
        _alice = await _cluster.CreateUserAsync("alice");
        await _alice.PublishAsync("tiny");
        _lease = (await _alice.LeaseAsync("tiny")).Lease;
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Generate_PromptSeenBefore_IsCachedForThatCallerAlone()
    {
        Assert.Equal(0, await CachedAsync(_lease));
        Assert.Equal(32, await CachedAsync(_lease));
        ModelLease others = _cluster.Sign(_lease with { Caller = UserId.New() });
        Assert.Equal(0, await CachedAsync(others));
        Assert.Equal(32, await CachedAsync(others));
    }

    [Fact]
    public async Task Forget_Owner_DropsWhatWasRememberedOfThem()
    {
        await CachedAsync(_lease);
        Assert.NotEqual(0, _cluster.Loop().Snapshot().PrefixBytes);
        Assert.NotNull(await _alice.Grain.Forget());
        await Eventually.TrueAsync(() => _cluster.Loop().Snapshot() is { PrefixBytes: 0, ReservedBytes: 0 });
    }

    [Fact]
    public async Task Embed_ManyTexts_AreOneVectorEach_AndNothingStays()
    {
        EmbeddingAnswer answer = await EmbedAsync(_lease, 100, TestContext.Current.CancellationToken);
        Assert.Equal((100, 400), (answer.Vectors.Length, answer.PromptTokens));
        await IdleAsync();
    }

    [Fact]
    public async Task Embed_Cancelled_LeavesNothingInTheEngine()
    {
        _cluster.Device().Hold();
        using CancellationTokenSource cancelled = new();
        Task<EmbeddingAnswer> running = EmbedAsync(_lease, 50, cancelled.Token);
        _cluster.Device().NextStep(TestContext.Current.CancellationToken);
        await cancelled.CancelAsync();
        _cluster.Device().Open();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await IdleAsync();
    }

    [Fact]
    public async Task Embed_WithoutAValidLease_IsRefused()
    {
        ModelLease forged = _lease with { Caller = UserId.New() };
        await Assert.ThrowsAsync<RequestException>(() => EmbedAsync(forged, 1, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<RequestException>(() => _cluster.Session(forged).Tokenize(forged, new TokenizeSpec { Prompt = "a" }));
        await Assert.ThrowsAsync<RequestException>(() => _cluster.Session(forged).Detokenize(forged, [1]));
    }

    private Task<EmbeddingAnswer> EmbedAsync(ModelLease lease, int texts, CancellationToken cancellationToken) => _cluster.Session(lease).Embed(
        lease, new EmbeddingSpec { Inputs = [.. Enumerable.Range(0, texts).Select(_ => new EmbeddingInput { Ids = [1, 3, 3, 3] })] }, cancellationToken);

    private async Task<int> CachedAsync(ModelLease lease)
    {
        SessionRequest request = TestSession.Greedy(1) with { PromptIds = [.. Enumerable.Repeat(3, 40)] };
        return Assert.IsType<SessionEnded>((await _cluster.GenerateAsync(lease, request))[^1]).CachedTokens;
    }

    private async Task IdleAsync()
    {
        await Eventually.TrueAsync(() => _cluster.ModelHost().Snapshot() is { Holds: 0, Running: 0, Waiting: 0 });
        Assert.Equal(TinyModel.WeightBytes, _cluster.Loop().Budget.ReservedBytes);
    }
}
