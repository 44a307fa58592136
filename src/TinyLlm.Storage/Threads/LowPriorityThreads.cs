using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace TinyLlm.Storage;

/// <summary>
/// Threads for what takes the processors for long while others are answered, as decrypting a model's weights: they compute with what is left of the
/// processors, all of it if need be, and hardly hold anybody up. Knows nothing of models. Only for work that is nearly all native code and waits for
/// nothing but a file: a garbage collection waits for managed code to come to a stop, and all wait for it.
/// </summary>
public static partial class LowPriorityThreads
{
    // Linux weighs a thread that is this much nicer with 70 against 1,024 (sched_prio_to_weight): one of them on a core costs whoever computes there 6%,
    // and still gets on where no core is ever idle.
    private const int Niceness = 12;

    private static readonly BlockingCollection<Action> s_works = [];

    // Tasks are ended by a thread of usual priority: a thread begins with the priority of the one that starts it, and whoever gives the thread pool work
    // may have to start one.
    private static readonly BlockingCollection<Action> s_ends = [];

    static LowPriorityThreads()
    {
        Start("low priority ends", () => RunAll(s_ends));
        for (int i = 0; i < Environment.ProcessorCount; i++) StartLow("low priority", () => RunAll(s_works));
    }

    /// <summary>Runs <paramref name="work"/> when one of the threads, as many as processors, is free.</summary>
    /// <param name="work">Blocks for nothing but a file.</param>
    /// <param name="cancellationToken">Ends the waiting; the work itself must look at it.</param>
    public static Task RunAsync(Action work, CancellationToken cancellationToken)
    {
        TaskCompletionSource<bool> done = Completion<bool>();
        s_works.Add(() => Run(WithResult, done, cancellationToken), CancellationToken.None);
        return done.Task;

        bool WithResult()
        {
            work();
            return true;
        }
    }

    /// <summary>Runs <paramref name="work"/> on a thread of its own, at the same priority, as are threads that it starts.</summary>
    public static Task<T> RunAloneAsync<T>(Func<T> work)
    {
        TaskCompletionSource<T> done = Completion<T>();
        StartLow("low priority alone", () => Run(work, done, CancellationToken.None));
        return done.Task;
    }

    private static TaskCompletionSource<T> Completion<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void Run<T>(Func<T> work, TaskCompletionSource<T> done, CancellationToken cancellationToken)
    {
        Action end;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            T result = work();
            end = () => done.SetResult(result);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            end = () => done.SetCanceled(cancellationToken);
        }
        catch (Exception exception)
        {
            end = () => done.SetException(exception);
        }
        s_ends.Add(end, CancellationToken.None);
    }

    private static void RunAll(BlockingCollection<Action> actions)
    {
        foreach (Action action in actions.GetConsumingEnumerable()) action();
    }

    private static void StartLow(string name, Action run) => Start(name, () =>
    {
        if (OperatingSystem.IsLinux()) _ = AddNiceness(Niceness); // of this thread only, and always allowed; .NET's own priorities do nothing there
        else Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
        run();
    });

    private static void Start(string name, Action run) => new Thread(() => run()) { IsBackground = true, Name = name }.UnsafeStart();

    [LibraryImport("libc", EntryPoint = "nice")]
    private static partial int AddNiceness(int increment);
}
