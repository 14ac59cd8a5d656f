"""How a run begins: admission, through which every trigger goes. Webhooks, schedules, queues and mail come later."""
