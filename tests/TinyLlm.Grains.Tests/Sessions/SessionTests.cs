using System.Collections.Concurrent;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Sessions;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Sessions;

public sealed class SessionTests : IAsyncLifetime
{
    private GrainCluster _cluster = null!;
    private ModelLease _lease = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await GrainCluster.StartAsync();
        TestUser alice = await _cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        _lease = (await alice.LeaseAsync("tiny")).Lease;
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Generate_ToTheBound_AdmitsThenADeltaPerTokenThenEndsOnce()
    {
        List<SessionEvent> events = await GenerateAsync(TestSession.Greedy(5));

        Assert.Equal(new SessionAdmitted { PromptTokens = 4 }, events[0]);
        Assert.Equal(["a", "b", "c", "d", "e"], events[1..^1].Select(item => Assert.IsType<SessionDelta>(item).Text));
        Assert.Equal([4, 5, 6, 7, 8], events[1..^1].SelectMany(item => ((SessionDelta)item).Ids));
        Assert.Equal(Ended(SessionEnd.Length, 4, 5), events[^1]);
    }

    [Theory]
    [InlineData("cde", "ab", 5)]
    [InlineData("a", "", 1)]
    [InlineData("bcd|c", "ab", 3)] // of two stops the one that is complete first
    public async Task Generate_StopAcrossTokens_EndsBeforeIt(string stops, string text, int tokens)
    {
        List<SessionEvent> events = await GenerateAsync(TestSession.Greedy(20, stops.Split('|')));

        Assert.Equal(text, TestSession.Text(events));
        Assert.Equal(Ended(SessionEnd.Stop, 4, tokens), events[^1]);
        Assert.Equal(tokens, events.OfType<SessionDelta>().Sum(delta => delta.Ids.Length));
        await IdleAsync();
    }

    [Fact]
    public async Task Generate_HalfAStopAtTheEnd_IsTextAfterAll()
    {
        List<SessionEvent> events = await GenerateAsync(TestSession.Greedy(5, "dexyz"));
        Assert.Equal("abcde", TestSession.Text(events));
        Assert.Equal(["a", "b", "c", "", "", "de"], events.OfType<SessionDelta>().Select(delta => delta.Text));
        Assert.Equal(Ended(SessionEnd.Length, 4, 5), events[^1]);
    }

    [Fact]
    public async Task Generate_EndOfText_StopsWithoutCountingIt()
    {
        List<SessionEvent> events = await GenerateAsync(TestSession.Greedy(100));
        // 44 letters, then the ids 0 and 1, which are special and no text, then 2, which ends it.
        Assert.Equal(TestSession.Answer(44), TestSession.Text(events));
        Assert.Equal(Ended(SessionEnd.Stop, 4, 46), events[^1]);
    }

    [Fact]
    public async Task Generate_NoBound_FillsTheContext()
    {
        SessionRequest request = TestSession.Greedy(1) with { PromptIds = [.. Enumerable.Repeat(3, 100)], MaxTokens = null };
        List<SessionEvent> events = await GenerateAsync(request);
        Assert.Equal(Ended(SessionEnd.Length, 100, TinyCheckpoint.Context - 100), events[^1]);

        Assert.Equal(28, Assert.IsType<SessionEnded>((await GenerateAsync(request with { MaxTokens = 28 }))[^1]).CompletionTokens);
        Assert.Equal("max_tokens", (await RefuseAsync(RequestError.ContextLengthExceeded, request with { MaxTokens = 29 })).Parameter);
        Assert.Equal("prompt", (await RefuseAsync(RequestError.ContextLengthExceeded, request with { PromptIds = [.. Enumerable.Repeat(3, 128)] })).Parameter);
    }

    [Fact]
    public async Task Generate_BadRequest_IsRefusedBeforeTheEngine()
    {
        SessionRequest good = TestSession.Greedy(2);
        SessionRequest[] bad =
        [
            good with { PromptIds = [3, -1] },
            good with { PromptIds = [TinyCheckpoint.Vocabulary] },
            good with { PromptIds = [] },
            good with { MaxTokens = 0 },
            good with { MaxTokens = -1 },
            good with { Temperature = double.NaN },
            good with { Temperature = -1 },
            good with { TopP = 1.5 },
            good with { TopK = -1 },
        ];
        foreach (SessionRequest request in bad) await RefuseAsync(RequestError.Malformed, request);

        Assert.Equal(0, _cluster.Loop().Snapshot().Steps);
        await IdleAsync();
        Assert.Equal("ab", TestSession.Text(await GenerateAsync(good)));
    }

    [Fact]
    public async Task Generate_TextAndConversation_AreTokenizedWithTheFirstToken()
    {
        List<SessionEvent> text = await GenerateAsync(TestSession.Greedy(2) with { PromptIds = null, Prompt = "abc" });
        Assert.Equal(new SessionAdmitted { PromptTokens = 4 }, text[0]);
        Assert.Equal("ab", TestSession.Text(text));

        List<SessionEvent> chat = await GenerateAsync(TestSession.Greedy(2) with
        {
            PromptIds = null,
            Messages = [new SessionMessage { Role = "user", Content = "hi" }],
        });
        Assert.Equal(new SessionAdmitted { PromptTokens = 3 }, chat[0]); // the plain template is the conversation's text
        Assert.Equal(2, Assert.IsType<SessionEnded>(chat[^1]).CompletionTokens);
    }

    [Fact]
    public async Task Generate_TwoHundredAtOnce_InterleaveOnOneGrain()
    {
        ConcurrentBag<int> batches = [];
        _cluster.Device().Stepped = step => batches.Add(step.Ids.Count);
        _cluster.Device().Hold(); // until all of them are there, however slowly they come
        Task<List<SessionEvent>[]> running = Task.WhenAll(Enumerable.Range(0, 200).Select(i => GenerateAsync(TestSession.Greedy(10 + (i % 20)))));
        await Eventually.TrueAsync(() => _cluster.Loop().Snapshot() is var now && now.RunningSequences + now.WaitingSequences == 200);
        _cluster.Device().Open();
        List<SessionEvent>[] answers = await running;

        for (int i = 0; i < answers.Length; i++)
        {
            Assert.Equal(TestSession.Answer(10 + (i % 20)), TestSession.Text(answers[i]));
            Assert.IsType<SessionAdmitted>(answers[i][0]);
            Assert.Equal(Ended(SessionEnd.Length, 4, 10 + (i % 20)), Assert.Single(answers[i].OfType<SessionEnded>()));
        }
        Assert.True(batches.Max() > 8);
        Assert.Equal(1, _cluster.ModelHost().Snapshot().Models);
        await IdleAsync();
    }

    [Fact]
    public async Task Generate_EngineFailsBeforeTheFirstToken_Throws()
    {
        _cluster.Device().Fault = _ => new InvalidDataException("broken");
        await Assert.ThrowsAsync<InvalidOperationException>(() => GenerateAsync(TestSession.Greedy(5)));
        await IdleAsync();
        _cluster.Device().Fault = _ => null;
        Assert.Equal("abc", TestSession.Text(await GenerateAsync(TestSession.Greedy(3))));
    }

    [Fact]
    public async Task Generate_EngineFailsMidway_EndsAsFailed()
    {
        _cluster.Device().Fault = step => step.Ids[0] == 1 ? new InvalidDataException("broken") : null; // the first step is the prompt's
        List<SessionEvent> events = await GenerateAsync(TestSession.Greedy(5));
        Assert.Equal("a", TestSession.Text(events));
        Assert.Equal(Ended(SessionEnd.Failed, 4, 1), events[^1]);
        await IdleAsync();
    }

    private static SessionEnded Ended(SessionEnd reason, int promptTokens, int completionTokens) =>
        new() { Reason = reason, PromptTokens = promptTokens, CompletionTokens = completionTokens };

    private Task<List<SessionEvent>> GenerateAsync(SessionRequest request) => _cluster.GenerateAsync(_lease, request);

    private async Task<RequestException> RefuseAsync(RequestError error, SessionRequest request)
    {
        RequestException reason = Assert.IsType<SessionRefused>(Assert.Single(await GenerateAsync(request))).Reason;
        Assert.Equal(error, reason.Error);
        return reason;
    }

    private async Task IdleAsync()
    {
        await Eventually.TrueAsync(() => _cluster.ModelHost().Snapshot() is { Holds: 0, Running: 0, Waiting: 0 });
        Assert.Equal(TinyModel.WeightBytes, _cluster.Loop().Budget.ReservedBytes - _cluster.Loop().Snapshot().PrefixBytes);
    }
}
