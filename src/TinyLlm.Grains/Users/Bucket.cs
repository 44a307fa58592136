namespace TinyLlm.Grains.Users;

/// <summary>
/// A token bucket, stored as two numbers: it holds one minute's worth and refills evenly. It may go below zero by what was used before it could
/// be counted; that is paid back before anything new is let in. Property names are the stored format.
/// </summary>
internal sealed class Bucket
{
    public required double Level { get; set; }

    public required DateTimeOffset At { get; set; }

    public static Bucket Full(long perMinute, DateTimeOffset now) => new() { Level = perMinute, At = now };

    /// <summary>Adds what came since; also fits the level to a bound that was changed. A clock that went back adds nothing.</summary>
    public void Refill(long perMinute, DateTimeOffset now)
    {
        double minutes = Math.Max(0, (now - At).TotalMinutes);
        Level = Math.Min(perMinute, Level + (minutes * perMinute));
        At = now;
    }

    /// <summary>Until <paramref name="amount"/> is there; zero when it is. More than the bucket holds is let in when it is full.</summary>
    public TimeSpan WaitFor(double amount, long perMinute)
    {
        double lacking = Math.Min(amount, perMinute) - Level;
        return lacking <= 0 ? TimeSpan.Zero : TimeSpan.FromMinutes(Math.Min(lacking / perMinute, TimeSpan.FromDays(1).TotalMinutes));
    }
}
