using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Storage;

namespace TinyLlm.Host.Streams;

/// <summary>
/// One answer that is being made, or one file that is being downloaded: who makes it from whose model, and the tokens so far. It is cut when the
/// caller's or the owner's grain says so. Disposing it settles an answer's tokens with both.
/// </summary>
internal sealed class RunningStream(string id, Caller caller, GrantedModel granted, DateTimeOffset now, Func<RunningStream, Task> end) : IAsyncDisposable
{
    private readonly CancellationTokenSource _cut = new();
    private long _promptTokens;
    private long _completionTokens;
    private int _isEnded;

    public string Id => id;

    public UserId Caller { get; } = caller.RequireUser();

    public UserId Owner => granted.Lease.Owner;

    /// <summary>Whether the caller is the model's owner.</summary>
    public bool IsOwn => Owner == Caller;

    public GrantedModel Granted => granted;

    public bool IsDownload => granted.Lease.Right == ModelRight.Download;

    public Bearer Bearer { get; } = caller.Bearer!; // a user has one

    /// <summary>When the caller's grain last let it go on.</summary>
    public DateTimeOffset CallerConfirmedAt { get; set; } = now;

    /// <summary>When the owner's grain last let it go on.</summary>
    public DateTimeOffset OwnerConfirmedAt { get; set; } = now;

    /// <summary>Cancelled when the answer must end.</summary>
    public CancellationToken Cut => _cut.Token;

    /// <summary>Tokens of prompt and completion until now.</summary>
    public long Tokens => Interlocked.Read(ref _promptTokens) + Interlocked.Read(ref _completionTokens);

    /// <summary>What a cut answer ends with.</summary>
    public static RequestException Refusal() => new(
        RequestError.AccessRevoked, "The answer was cut: the token, the grant or the model behind it is no longer valid.");

    public void CountPrompt(int tokens) => Interlocked.Exchange(ref _promptTokens, tokens);

    public void CountCompletion(int tokens) => Interlocked.Add(ref _completionTokens, tokens);

    /// <summary>Cuts it: whoever reads its events gets <see cref="Refusal"/>.</summary>
    public void End() => _cut.Cancel();

    // The source is not disposed: a renewal that is under way may still cut, and without a timer it holds nothing.
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isEnded, 1) == 0) await end(this);
    }
}
