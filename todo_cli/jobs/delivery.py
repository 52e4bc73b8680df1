"""Run one job: send its message to each channel, and store each outcome before the next one goes out."""

from __future__ import annotations

from todo_cli.jobs.channel_errors import DeliveryFailed
from todo_cli.jobs.job_queue import JobQueue, TakenJob
from todo_cli.jobs.messages import ChannelAddress, JobMessage, Notice, make_notice
from todo_cli.jobs.options import WorkerOptions
from todo_cli.jobs.sweep import run_sweep

MAX_TRIES = 10
"""Failures in a row after which a job, or a change for a webhook, is given up."""
NEVER = 2**31 - 1  # tries


async def run_job(queue: JobQueue, job: TakenJob, options: WorkerOptions) -> None:
    """Do the work of a leased job, then finish it or let it be tried again."""
    if job.kind == "sweep":
        await run_sweep(queue, job, options)
    elif job.kind == "title":
        from todo_cli.jobs.titles import run_title

        await run_title(queue, job, options)
    elif job.kind == "changes":
        await _send_changes(queue, job, options)
    else:
        await _send_message(queue, job, options)


async def _send_message(queue: JobQueue, job: TakenJob, options: WorkerOptions) -> None:
    """Send a reminder or a test to each channel that has not got it yet."""
    message = await queue.open(job)
    if message is None:
        await queue.finish(job)
        return
    notice = make_notice(message)
    failures = [
        failure
        for channel in message.deliveries
        if (failure := await _deliver(queue, job, channel, notice, options)) is not None
    ]
    if not failures and not message.has_dead:
        await queue.finish(job)
        return
    reason = failures[-1].reason if failures else "a channel refused the message"
    can_retry = any(not failure.is_permanent for failure in failures)
    await queue.fail(job, options.pause(job.tries), MAX_TRIES if can_retry else 0, reason)


async def _send_changes(queue: JobQueue, job: TakenJob, options: WorkerOptions) -> None:
    """Send a webhook its changes in their order. One that fails holds up the later ones until it is given up."""
    tries = job.tries
    while (message := await queue.open(job)) is not None:
        is_last_try = tries + 1 >= MAX_TRIES
        failure = await _deliver_change(queue, job, message, options, is_last_try=is_last_try)
        if failure and not is_last_try and not failure.is_permanent:
            await queue.fail(job, options.pause(tries), NEVER, failure.reason)
            return
        tries = 0
    await queue.finish(job)


async def _deliver_change(
    queue: JobQueue, job: TakenJob, message: JobMessage, options: WorkerOptions, *, is_last_try: bool
) -> DeliveryFailed | None:
    (channel,) = message.deliveries
    return await _deliver(queue, job, channel, make_notice(message), options, is_last_try=is_last_try)


async def _deliver(
    queue: JobQueue,
    job: TakenJob,
    channel: ChannelAddress,
    notice: Notice,
    options: WorkerOptions,
    *,
    is_last_try: bool = False,
) -> DeliveryFailed | None:
    """Send one message, unless it must not go out any more; return how it failed, None where it did not.

    A delivery that was found as `sending` may have gone out before. Its id lets the receiver tell; a desktop cannot.
    """
    former = await queue.begin_delivery(job, channel)
    if former is None:
        return None
    if former == "sending" and channel.kind == "desktop":
        reason = "the worker died while it showed the message, which may have been seen"
        await queue.end_delivery(job, channel, "unknown", reason)
        return None
    try:
        await _send(channel, notice, options)
    except DeliveryFailed as failure:
        state = "dead" if failure.is_permanent or is_last_try else "failed"
        await queue.end_delivery(job, channel, state, failure.reason)
        return failure
    await queue.end_delivery(job, channel, "sent", None)
    return None


async def _send(channel: ChannelAddress, notice: Notice, options: WorkerOptions) -> None:
    """Send a message to a channel of any kind; raises DeliveryFailed. What a kind needs is imported here."""
    if channel.kind == "webhook":
        from todo_cli.jobs.http_channels import post_webhook

        await post_webhook(channel, notice, allow_private=options.allow_private)
    elif channel.kind == "push":
        from todo_cli.jobs.http_channels import post_push

        await post_push(channel, notice, allow_private=options.allow_private)
    elif channel.kind == "email":
        from todo_cli.jobs.email_channel import send_email

        await send_email(channel, notice, server=options.smtp_url, sender=options.mail_from)
    elif options.show_desktop:
        from todo_cli.jobs.desktop_channel import show_on_desktop

        await show_on_desktop(notice)
    else:
        raise DeliveryFailed("the worker's operator does not allow the desktop", permanent=True)
