using System.IO.Hashing;
using System.Text;

namespace TinyLlm.Storage;

/// <summary>
/// Excludes writers of one object from each other, in this process and across processes. A name belongs to one of <see cref="StripeCount"/> stripes; a
/// stripe is a semaphore here and a file that is opened exclusively (flock on Unix, a share mode on Windows), which the system releases when a process
/// dies. Held for one write at a time, never while a client is waited for, so that two names in one stripe cost each other milliseconds.
/// The files stay: removing a lock file while another process opens it would give two owners.
/// </summary>
internal sealed class FileLocks
{
    private const int StripeCount = 64;
    private const int MaxPauseMilliseconds = 16;

    private readonly string folder;
    private readonly SemaphoreSlim[] stripes = [.. Enumerable.Range(0, StripeCount).Select(_ => new SemaphoreSlim(1, 1))];

    public FileLocks(string folder) => this.folder = folder;

    /// <summary>Waits until nobody else writes the object; dispose the result to let go.</summary>
    public async Task<IDisposable> AcquireAsync(string name, CancellationToken cancellationToken)
    {
        uint stripe = Crc32.HashToUInt32(Encoding.ASCII.GetBytes(name)) % StripeCount;
        SemaphoreSlim semaphore = stripes[stripe];
        await semaphore.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            string path = Path.Combine(folder, stripe.ToString("x2", null));
            return new Held(semaphore, await OpenAsync(path, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            semaphore.Release();
            throw;
        }
    }

    private static async Task<FileStream> OpenAsync(string path, CancellationToken cancellationToken)
    {
        for (int pause = 1; ; pause = Math.Min(2 * pause, MaxPauseMilliseconds))
        {
            try
            {
                return new FileStream(path, PrivateFiles.Options(FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException error) when (DiskErrors.IsLocked(error))
            {
                await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private sealed class Held(SemaphoreSlim semaphore, FileStream file) : IDisposable
    {
        public void Dispose()
        {
            file.Dispose();
            semaphore.Release();
        }
    }
}
