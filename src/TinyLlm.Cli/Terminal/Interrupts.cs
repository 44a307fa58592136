using System.Runtime.InteropServices;

namespace TinyLlm.Cli.Terminal;

/// <summary>
/// Ctrl-C and requests to end, as tokens. While an answer is being written in an interactive chat, an interrupt cancels that answer;
/// at any other time the program. A second interrupt of the same thing is left to the system, which ends the process.
/// </summary>
internal sealed class Interrupts : IDisposable
{
    private readonly CancellationTokenSource program = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private volatile CancellationTokenSource? answer;

    /// <summary>Cancelled when the program shall end.</summary>
    public CancellationToken Program => program.Token;

    /// <summary>Listens to the process's signals.</summary>
    public static Interrupts OfProcess()
    {
        Interrupts interrupts = new();
        foreach (PosixSignal signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
            interrupts.registrations.Add(PosixSignalRegistration.Create(signal, interrupts.OnSignal));
        return interrupts;
    }

    /// <summary>Begins an answer that an interrupt cancels in the program's stead, until the source is given to <see cref="EndAnswer"/>.</summary>
    public CancellationTokenSource BeginAnswer() => answer = CancellationTokenSource.CreateLinkedTokenSource(program.Token);

    /// <summary>From here on an interrupt means the program again.</summary>
    public void EndAnswer(CancellationTokenSource ended)
    {
        answer = null;
        ended.Dispose();
    }

    /// <summary>What Ctrl-C does; false when there is nothing left to cancel.</summary>
    public bool Interrupt()
    {
        CancellationTokenSource target = answer ?? program;
        if (target.IsCancellationRequested) return false;
        try
        {
            target.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The answer ended between the two lines: there is nothing to cancel any more, and the user sees the prompt.
        }
        return true;
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations) registration.Dispose();
        program.Dispose();
    }

    private void OnSignal(PosixSignalContext signal)
    {
        if (signal.Signal == PosixSignal.SIGINT)
        {
            signal.Cancel = Interrupt();
            return;
        }
        signal.Cancel = !program.IsCancellationRequested;
        program.Cancel();
    }
}
