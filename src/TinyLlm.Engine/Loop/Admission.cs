using Microsoft.Extensions.Logging;

namespace TinyLlm.Engine;

/// <summary>
/// Who of those that wait gets a slot and memory next: the caller with the least service, unless it holds its share of slots or memory and
/// somebody else uses the device too. One that merely lacks bytes holds up everyone behind it, so that large sequences are not passed over for
/// ever. The loop's thread owns it.
/// </summary>
internal sealed partial class Admission(DeviceLoopOptions options, ByteBudget budget, PrefixCache prefixes, CallerShares shares, TimeProvider time, ILogger logger)
{
    // How often a starving queue asks again for memory: a model may have become idle without any bytes moving.
    private static readonly TimeSpan s_askAgain = TimeSpan.FromSeconds(1);

    private Sequence? _starved;
    private long _starvedBytes, _starvedSince, _arrivals;

    /// <summary>Told how many bytes the next sequence lacks.</summary>
    public Action<long>? OnStarved { get; set; }

    /// <summary>Those without a slot.</summary>
    public WaitingQueue Waiting { get; } = new();

    /// <summary>Takes a sequence that arrives.</summary>
    public void Add(Sequence sequence)
    {
        sequence.Share = shares.Join(sequence.Request.Caller);
        sequence.Number = ++_arrivals;
        sequence.StalledSince = time.GetTimestamp();
        Waiting.Add(sequence);
    }

    /// <summary>The next that runs, its bytes reserved and its share charged; null: nobody can now.</summary>
    public Sequence? Next(int running)
    {
        int freeSlots = options.MaxRunning - running;
        if (freeSlots <= 0) return null;
        Sequence? head = Waiting.Head(sequence => HasSlot(sequence, freeSlots) && ShareLackingBytes(sequence) <= 0);
        if (head is null)
        {
            // Whoever waits holds its share. Idle models, if there are any, make everybody's larger.
            if (Waiting.Head(sequence => HasSlot(sequence, freeSlots)) is Sequence held) ReportStarved(held, ShareLackingBytes(held));
            else _starved = null;
            return null;
        }
        long bytes = CacheBytes(head);
        prefixes.Use(head.Model, head.Request.Caller, head.Request.PromptIds.AsMemory());
        if (!prefixes.TryReserve(bytes))
        {
            ReportStarved(head, bytes - FreeBytes());
            return null;
        }
        Waiting.Remove(head);
        if (head == _starved) _starved = null;
        head.CacheBytes = bytes;
        head.StalledSince = null;
        head.Share.Slots++;
        head.Share.CacheBytes += bytes;
        return head;
    }

    /// <summary>Gives back what <see cref="Next"/> took.</summary>
    public void Release(Sequence sequence)
    {
        sequence.Share.Slots--;
        sequence.Share.CacheBytes -= sequence.CacheBytes;
        budget.Release(sequence.CacheBytes);
    }

    /// <summary>A sequence ended, waiting or running.</summary>
    public void Leave(Sequence sequence)
    {
        if (sequence == _starved) _starved = null;
        shares.Leave(sequence.Share);
    }

    /// <summary>How long until memory is asked for again; null: nobody lacks it.</summary>
    public TimeSpan? UntilAsking() => _starved is null ? null : s_askAgain - time.GetElapsedTime(_starvedSince);

    private static long CacheBytes(Sequence sequence) => sequence.Model.Decoder.CacheBytes(sequence.CapacityTokens);

    /// <summary>What is free once the prefix cache made room.</summary>
    private long FreeBytes() => budget.LimitBytes - budget.ReservedBytes + prefixes.Bytes;

    private bool HasSlot(Sequence sequence, int freeSlots) => FairRoom.Allows(sequence.Share.Slots, freeSlots) || !shares.HasCompany(sequence.Share);

    /// <summary>Bytes that must be free beside the sequence's own before its caller, in company, may hold more; 0 or less: none.</summary>
    private long ShareLackingBytes(Sequence sequence)
    {
        long bytes = CacheBytes(sequence), free = FreeBytes();
        if (FairRoom.Allows(sequence.Share.CacheBytes, free - bytes) || !shares.HasCompany(sequence.Share)) return 0;
        return FairRoom.LeastFree(sequence.Share.CacheBytes) + bytes - free;
    }

    private void ReportStarved(Sequence sequence, long lackingBytes)
    {
        bool isKnown = sequence == _starved && lackingBytes == _starvedBytes && time.GetElapsedTime(_starvedSince) < s_askAgain;
        if (isKnown || lackingBytes <= 0) return;
        (_starved, _starvedBytes, _starvedSince) = (sequence, lackingBytes, time.GetTimestamp());
        try
        {
            OnStarved?.Invoke(lackingBytes);
        }
        catch (Exception exception)
        {
            LogStarvedHandlerFailed(exception);
        }
    }

    [LoggerMessage(LogLevel.Error, "The handler that frees memory for a waiting sequence failed")]
    private partial void LogStarvedHandlerFailed(Exception exception);
}
